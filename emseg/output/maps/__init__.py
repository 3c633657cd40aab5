"""Label maps and planes of numbers for other programs: TIFF, NIfTI, GeoJSON, COCO."""
