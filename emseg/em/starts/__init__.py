"""Where a fit starts, and with how many components."""
