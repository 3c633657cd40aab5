"""Which options each command has, in the order of the help text."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from emseg.options.declaration import GROUPS, Option, options_in

#: Modules with the declarations of each command's options, which is all that its help loads.
MODULES = {
    "segment": ("segmentation", "reading", "running"),
    "apply": ("segmentation", "reading", "running"),
    "compare": ("segmentation", "reading", "running"),
    "impute": ("segmentation", "reading"),
    "fit": ("segmentation",),
    "denoise": ("restoration", "reading", "running"),
    "inpaint": ("restoration", "reading", "running"),
    "evaluate": ("running",),
    "guide": ("running",),
}


@cache
def options_of(command: str) -> tuple[Option, ...]:
    """The options of a command, by groups."""
    modules = [import_module(f"emseg.options.declarations.{module}") for module in MODULES[command]]
    declared = [option for module in modules for source in module.DECLARATIONS for option in options_in(source)]
    return tuple(
        sorted(
            (option for option in declared if command in option.commands),
            key=lambda option: GROUPS.index(option.group),
        )
    )
