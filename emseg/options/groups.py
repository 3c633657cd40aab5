"""Headings that options stand under, in the help text and in the reference."""

from __future__ import annotations

MODEL, NOISE, MASK, PIXELS, COMPARISON = "Model", "Noise", "Missing pixels", "Pixels", "Comparison"
FIT, FIELD, REGIONS = "Fit", "Markov random field", "Regions"
RESULTS, INPUTS, MANY, WORK, MESSAGES = "Results", "Inputs", "Many inputs", "Work", "Messages"
#: In the order in which they are shown.
GROUPS = (MODEL, NOISE, MASK, PIXELS, COMPARISON, FIT, FIELD, REGIONS, RESULTS, INPUTS, MANY, WORK, MESSAGES)
