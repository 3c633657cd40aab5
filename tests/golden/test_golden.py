"""What emseg makes of the sample images is what 0.1.0 made of them, under forty option sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.golden import inputs, store
from tests.golden.compare import differences, together
from tests.golden.option_sets import SETS
from tests.golden.runs import run


@pytest.fixture(scope="session")
def companions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of masks, marks and maps."""
    folder = tmp_path_factory.mktemp("golden")
    inputs.prepare(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_results_are_those_of_0_1_0(
    name: str, companions: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    golden = {image: store.load()[name, image] for image in inputs.names()}
    found = {image: run(name, image, companions, tmp_path) for image in golden}
    rows = [
        f"{name:16} {image:10} {message}"
        for image, outcome in golden.items()
        for message in differences(name, outcome, found[image])
    ]
    rows += [f"{name:16} {'all':10} {message}" for message in together([(golden[i], found[i]) for i in golden])]
    record_property("golden", rows)  # conftest.py prints the rows of all sets together
    assert not rows, f"emseg segment {SETS[name]}\n" + "\n".join(rows)


def test_the_set_is_whole() -> None:
    assert len(SETS) == 40
    assert set(store.load()) == {(name, image) for name in SETS for image in inputs.names()}
