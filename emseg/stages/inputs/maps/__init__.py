"""Maps that come with an image: marks, prior probabilities, weights, pixels to fill."""
