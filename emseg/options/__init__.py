"""Every option: its name, what it may be, its default and what it goes with. Imports nothing heavy."""
