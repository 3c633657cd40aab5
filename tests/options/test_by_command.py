"""A command's options: by groups, none twice, and nothing loaded that another command needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from emseg.options.by_command import MODULES, options_of
from emseg.options.declaration import GROUPS


@pytest.mark.parametrize("command", MODULES)
def test_groups_stand_in_one_order_and_no_option_twice(command: str) -> None:
    options = options_of(command)
    places = [GROUPS.index(option.group) for option in options]
    assert places == sorted(places)
    assert len({option.name for option in options}) == len(options)
    flags = [flag for option in options for flag in option.flags]
    assert len(set(flags)) == len(flags)
    assert all(command in option.commands for option in options)


def test_every_group_is_used() -> None:
    assert {option.group for command in MODULES for option in options_of(command)} == set(GROUPS)


@pytest.mark.parametrize(("command", "absent"), [("denoise", "segmentation"), ("segment", "restoration")])
def test_only_what_a_command_needs_is_loaded(command: str, absent: str) -> None:
    code = f"from emseg.options.by_command import options_of; options_of({command!r})"
    check = f"import sys; sys.exit('emseg.options.{absent}' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", f"{code}; {check}"]).returncode == 0
