"""What follows from the options of denoising."""

from __future__ import annotations

import pytest

from emseg.options.declarations.restoration import DenoiseOptions


@pytest.mark.parametrize(("method", "chosen"), [("auto", "local"), ("local", "local"), ("mixture", "mixture")])
def test_auto_is_local(method: str, chosen: str) -> None:
    assert DenoiseOptions(method=method).chosen == chosen
