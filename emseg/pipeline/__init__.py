"""Image and options in, result out: no files, no printing."""
