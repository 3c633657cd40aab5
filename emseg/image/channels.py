"""Channels of an image by number or by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emseg.errors import UsageError, option
from emseg.image.model import Image


def channel_indices(channels: Sequence[int | str], count: int, names: Sequence[str], image: str) -> list[int]:
    """The indices, from 0, of channels that are given by number, from 1, or by name.

    Parameters
    ----------
    channels : sequence of int or str
    count : int
        How many channels the image has.
    names : sequence of str
        Their names; empty if they have none.
    image : str
        What messages call the image.

    Raises
    ------
    UsageError
        If there is no such channel, or one is named twice.
    """
    found = []
    for channel in channels:
        if isinstance(channel, str) and channel in names:
            index = list(names).index(channel)
        elif str(channel).isascii() and str(channel).isdigit() and 1 <= int(channel) <= count:
            index = int(channel) - 1
        else:
            there = f"has {count} channel{'' if count == 1 else 's'}"
            there += f": {', '.join(names)}" if names else ""
            raise UsageError(f"{option('channels', str(channel))}: {image} {there}")
        if index in found:
            raise UsageError(f"{option('channels', str(channel))}: channel {index + 1} is named twice; name it once")
        found.append(index)
    return found


def with_channels(image: Image, channels: Sequence[int | str]) -> Image:
    """The image with these channels alone, in this order; raise UsageError as `channel_indices`.

    One channel is grey. Three are colours only if they are all of a colour image, in their order. Where all chosen
    channels are known, a pixel has data. Without any, the image is as it was.
    """
    if not channels:
        return image
    count = image.pixels.shape[2]
    wanted = channel_indices(channels, count, image.channel_names, image.name)
    if wanted == list(range(count)):
        return replace(image, channels=tuple(range(1, count + 1)))
    pixels = np.ascontiguousarray(image.pixels[:, :, wanted])
    valid, known = image.valid, None
    if image.known is not None:
        left = image.known[:, :, wanted]
        some, whole = np.asarray(left.any(axis=2)), np.asarray(left.all(axis=2))
        valid, known = (None if whole.all() else whole), (None if np.array_equal(some, whole) else left)
    return replace(
        image,
        pixels=pixels,
        colour="gray" if len(wanted) == 1 else "bands",
        valid=valid,
        known=known,
        packed=None,
        form=image.form and image.form._replace(alpha=False),
        channels=tuple(index + 1 for index in wanted),
        channel_names=tuple(image.channel_names[index] for index in wanted) if image.channel_names else (),
    )
