"""Label maps for other programs: TIFF, NIfTI, GeoJSON, COCO."""
