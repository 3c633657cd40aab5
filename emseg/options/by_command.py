"""Which options each command has, in the order of the help text."""

from __future__ import annotations

from functools import cache

from emseg.options import restoration, running, segmentation
from emseg.options.declaration import Option, options_in

DECLARATIONS = (
    running.MaskOptions,
    running.DenoiseMaskOptions,
    running.InpaintMaskOptions,
    segmentation.SegmentOptions,
    segmentation.CompareOptions,
    segmentation.ImputeOptions,
    restoration.DenoiseOptions,
    restoration.InpaintOptions,
    running.EvaluateOptions,
    running.OutputOptions,
    running.SaveOptions,
    running.ApplySaveOptions,
    running.BatchOptions,
    running.MessageOptions,
)
GROUPS = (
    *(segmentation.MODEL, restoration.NOISE, restoration.MASK, segmentation.PIXELS, segmentation.COMPARISON),
    *(segmentation.FIT, segmentation.FIELD, segmentation.REGIONS, running.RESULTS, running.INPUTS, running.MANY),
    *(restoration.WORK, running.MESSAGES),
)


@cache
def options_of(command: str) -> tuple[Option, ...]:
    """The options of a command, by groups."""
    found = [option for source in DECLARATIONS for option in options_in(source) if command in option.commands]
    return tuple(sorted(found, key=lambda option: GROUPS.index(option.group)))
