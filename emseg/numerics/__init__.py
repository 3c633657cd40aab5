"""Pure functions on arrays, which know nothing of images or mixtures."""
