"""What is measured at each pixel: colour, position, texture; standardised, with repeated values counted once."""
