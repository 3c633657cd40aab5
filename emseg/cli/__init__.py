"""The command line: one command a file; click and tqdm live here and nowhere else."""
