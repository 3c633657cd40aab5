"""Pages of TIFF files, strip by strip and tile by tile: from the tags and bytes to the stored samples."""
