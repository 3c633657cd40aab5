"""Files under their final names: whole or not at all, and never over a file that emseg did not write."""
