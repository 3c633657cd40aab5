"""Work shared between processes, the same whoever does which part of it."""
