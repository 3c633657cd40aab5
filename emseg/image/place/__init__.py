"""Where an image is in the world, and how large its pixels are there."""
