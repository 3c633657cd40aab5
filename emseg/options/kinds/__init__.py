"""What options take: how values are spelled in a shell, typed in Python, and checked."""
