"""Files that hold more than one plane: which of them are channels, slices, or images of their own."""
