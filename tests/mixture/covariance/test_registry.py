"""The list of covariance models: it holds mclust's models and the four plain names, and loads no numpy."""

from __future__ import annotations

import subprocess
import sys

from emseg.mixture.covariance.model import COVARIANCE_MODELS
from emseg.mixture.covariance.registry import ALIASES, COVARIANCES, MCLUST


def test_the_models_are_mclusts_and_four_plain_names() -> None:
    assert set(COVARIANCES) == {*ALIASES, *MCLUST} == set(COVARIANCE_MODELS)
    assert len(MCLUST) == 14
    for name, entry in COVARIANCES.items():
        assert entry.name == name
        assert entry.letters == COVARIANCE_MODELS[name].letters == ALIASES.get(name, name)
        assert entry.summary


def test_it_loads_no_numpy() -> None:
    code = "import sys, emseg.mixture.covariance.registry; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
