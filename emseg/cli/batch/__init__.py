"""Many inputs: from the words of a command line to jobs, and who does them."""
