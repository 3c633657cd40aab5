"""Members of the EM family whose steps are exact or deterministic, one a file."""
