"""Text for people and programs: the convergence log, tables of regions and algorithms, and summaries."""
