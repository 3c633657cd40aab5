"""Inference in the Potts field, one method a file."""
