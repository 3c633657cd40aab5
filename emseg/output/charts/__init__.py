"""Line charts as self-contained SVG."""
