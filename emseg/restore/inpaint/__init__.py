"""Missing pixels: a first guess, then rounds of local Gaussians."""
