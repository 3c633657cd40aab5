"""The features, one a file; `emseg.features.registry` lists them."""
