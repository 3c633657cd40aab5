"""Markov random fields on pixels and voxels: neighbourhoods, Potts energy, inference and the strength of the field."""
