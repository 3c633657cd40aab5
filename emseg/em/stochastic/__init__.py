"""Members of the EM family that draw, or see a part of the samples at a time, one a file."""
