"""Connected regions of a label map: graph, merging, description length, tables, scores."""
