"""Who does the work: this process or several, with the same result."""
