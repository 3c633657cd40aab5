"""Whether a file holds the whole picture that its header announces. Decoders fill up with zeros or grey in silence."""
