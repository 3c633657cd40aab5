"""What the command line says of a batch as a whole: where results go, how inputs are read, what is printed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from emseg.options.running import BatchOptions, MessageOptions, OutputOptions


@dataclass(frozen=True)
class Settings(MessageOptions, BatchOptions, OutputOptions):
    """The options that decide how inputs are gone through; a command's own options are not among them."""


def taken_out(options: dict[str, Any]) -> Settings:
    """The settings among a command's options, which lose them."""
    return Settings(**{entry.name: options.pop(entry.name) for entry in fields(Settings) if entry.name in options})
