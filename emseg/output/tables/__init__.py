"""Text for people and spreadsheets: the convergence log, region tables, the summary."""
