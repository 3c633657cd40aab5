"""Pixels that hold no data or that nobody wants: masks, nodata values, opacity."""
