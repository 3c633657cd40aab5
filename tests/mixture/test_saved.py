from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import DataError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.saved import model_json
from emseg.output.store.model_file import read_model

pytestmark = pytest.mark.long

GOOD: dict[str, Any] = {
    "format": "emseg-model",
    "version": 1,
    "family": "gaussian",
    "covariance": "full",
    "features": "lab",
    "weights": [0.25, 0.75],
    "means": [[1, 2.5], [3, 4]],
    "covariances": [[[2, 0.5], [0.5, 1]], [[1e-9, 0], [0, 1e9]]],
}


def saved(folder: Path, **changes: Any) -> str:
    path = folder / "m.emseg.json"
    path.write_text(json.dumps({key: value for key, value in (GOOD | changes).items() if value is not None}))
    return str(path)


def test_a_model_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(3, 4, 4))
    report = {
        "options": {"covariance": "tied", "k": 3},
        "noise": None,
        "family": "gaussian",
        "features": {"spec": "lab,xy:0.5", "names": list("abcd")},
        "weights": rng.dirichlet(np.ones(3)),
        "parameters": {
            "means": rng.normal(size=(3, 4)) * 1e5,
            "covariances": np.einsum("kij,klj->kil", root, root),
        },
        "K": 3,
    }
    path = tmp_path / "m.json"
    path.write_bytes(model_json(report))
    back = read_model(str(path))
    assert (back.mixture.family, back.features) == (GAUSSIANS["tied"], "lab,xy:0.5")
    assert np.array_equal(back.mixture.weights, report["weights"])
    for name, value in report["parameters"].items():
        assert np.array_equal(getattr(back.mixture.components, name), value)


def test_a_good_file(tmp_path: Path) -> None:
    back = read_model(saved(tmp_path))
    parts = back.mixture.components
    assert back.mixture.weights.dtype == parts.means.dtype == parts.covariances.dtype == np.float64
    assert parts.means.tolist() == GOOD["means"]


def test_noise_comes_back_beside_the_others(tmp_path: Path) -> None:
    noise = {"weight": 0.2, "log_density": -7.5}
    back = read_model(saved(tmp_path, weights=[0.2, 0.6], noise=noise)).mixture
    assert back.weights.tolist() == pytest.approx([0.2, 0.6, 0.2])
    assert back.log_joint(np.array([[1e6], [1e6]]))[2] == pytest.approx(np.log(0.2) - 7.5)
    for wrong in ({"weight": 0.3, "log_density": -7.5}, {"weight": 0.2}, {"weight": 0, "log_density": 0}, 3, [0.2, 1]):
        with pytest.raises(DataError, match="not a usable model"):
            read_model(saved(tmp_path, weights=[0.2, 0.6], noise=wrong))


def test_bounds_come_back(tmp_path: Path) -> None:
    """A value at a bound has a probability, not a density."""
    bounds = {"censored": [None, 1.0], "truncated": [-50, None]}
    back = read_model(saved(tmp_path, bounds=bounds)).mixture
    free = read_model(saved(tmp_path)).mixture
    at, below = np.array([[1.0], [1.0]]), np.array([[0.5], [0.5]])
    assert not np.allclose(back.log_joint(at), free.log_joint(at))
    np.testing.assert_allclose(back.log_joint(below), free.log_joint(below), atol=1e-6)  # truncated far away
    for wrong in ({"censored": [None, 1.0]}, 3, bounds | {"censored": [2, 1]}, bounds | {"truncated": [0, 1, 2]}):
        with pytest.raises(DataError, match="not a usable model"):
            read_model(saved(tmp_path, bounds=wrong))
    with pytest.raises(DataError, match="noise within bounds"):
        read_model(saved(tmp_path, weights=[0.2, 0.6], noise={"weight": 0.2, "log_density": -7.5}, bounds=bounds))


@pytest.mark.parametrize(
    ("family", "parts", "wrong"),
    [
        ("poisson", {"means": [[1.5], [2]]}, {"means": [[1.5], [0]]}),
        ("gamma", {"means": [[1.5], [2]], "shapes": [[3], [4]]}, {"shapes": [[3], [-1]]}),
        ("gamma", {"means": [[1.5], [2]], "shapes": [[3], [4]]}, {"shapes": [[3, 1], [4, 1]]}),
        ("von-mises", {"means": [[1.5], [2]], "concentrations": [[3], [0]]}, {"concentrations": [[3], [-4]]}),
        ("von-mises", {"means": [[1.5], [2]], "concentrations": [[3], [0]]}, {"covariances": [[[3]], [[4]]]}),
    ],
)
def test_other_families_have_parameters_of_their_own(
    tmp_path: Path, family: str, parts: dict[str, Any], wrong: dict[str, Any]
) -> None:
    own = {"family": family, "means": None, "covariances": None} | parts
    back = read_model(saved(tmp_path, **own)).mixture
    assert back.family.name == family
    for name, value in parts.items():
        assert getattr(back.components, name).tolist() == value
    with pytest.raises(DataError, match="not a usable model"):
        read_model(saved(tmp_path, **own | wrong))


@pytest.mark.parametrize(
    "changes",
    [
        *({key: None} for key in GOOD),
        {"format": "other"},
        {"version": 2},
        {"family": "cauchy"},
        {"extra": 1},
        {"features": 3},
        {"covariance": ["full"]},
        {"weights": [0.5, 0.6]},
        {"weights": [-0.5, 1.5]},
        {"weights": [0.5, 0.25, 0.25]},
        {"weights": ["0.25", "0.75"]},
        {"weights": [True, False]},
        {"weights": []},
        {"weights": 1},
        {"weights": [[0.25, 0.75]]},
        {"means": [[1, 2], [3]]},
        {"means": [[1, 2, 3], [4, 5, 6]]},
        {"means": [[1, float("nan")], [3, 4]]},
        {"means": [[1, float("inf")], [3, 4]]},
        {"means": [[1, 10**400], [3, 4]]},
        {"means": [[1, {}], [3, 4]]},
        {"covariances": [[[2, 0.5], [0.4, 1]], [[1, 0], [0, 1]]]},
        {"covariances": [[[1, 2], [2, 1]], [[1, 0], [0, 1]]]},
        {"covariances": [[[0, 0], [0, 0]], [[1, 0], [0, 1]]]},
        {"covariances": [[2, 1], [1, 1]]},
        {"covariances": [[[1e308, 1e308], [-1e308, 1e308]], [[1, 0], [0, 1]]]},
        {"weights": [1e308, 1e308]},
        {"weights": [True, 1e-9]},
        {"means": [[True, 2.5], [3, 4]]},
        {"means": [["1", 2.5], [3, 4]]},
        {"means": [[None, 2.5], [3, 4]]},
        {"means": "12"},
        {"covariance": "nonsense"},
        {"features": "\n", "family": "a\nb"},
        {"features": "nonsense"},
        {"features": "lab:1e9"},
        {"features": "a" * 100_000},
        {"weights": [1 / 5000] * 5000, "means": [[1, 2]] * 5000, "covariances": [[[1, 0], [0, 1]]] * 5000},
        {"means": [[1] * 300] * 2},
        {"means": [[1, 1e308], [3, 4]]},
        {"covariances": [[[1e300, 0], [0, 1]], [[1, 0], [0, 1]]]},
        {"covariances": [[[1e-300, 0], [0, 1]], [[1, 0], [0, 1]]]},
    ],
    ids=lambda changes: json.dumps(changes)[:60],
)
def test_anything_else_is_refused_in_a_line(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = saved(tmp_path, **changes)
    with pytest.raises(DataError, match=r"m\.emseg\.json: not a usable model .*save='model'") as caught:
        read_model(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"[" * 200_000, b"9" * 5000, b"null", b"[1]", b"\x89PNG\r\n\x1a\n"]
)
def test_no_json_at_all(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(data)
    with pytest.raises(DataError, match="not a usable model"):
        read_model(str(path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a JSON value."""
    yield way
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*way, key))


@given(way=st.sampled_from([way for way in places(GOOD) if way]), value=JSON)
def test_whatever_replaces_a_part_is_refused_or_is_a_mixture(way: tuple[Any, ...], value: Any) -> None:
    facts = deepcopy(GOOD)
    part: Any = facts
    for key in way[:-1]:
        part = part[key]
    part[way[-1]] = value
    require_refusal_or_mixture(json.dumps(facts).encode())


@given(at=st.integers(0, len(json.dumps(GOOD))), cut=st.integers(0, 5), data=st.binary(max_size=5))
def test_whatever_bytes_are_changed_it_is_refused_or_is_a_mixture(at: int, cut: int, data: bytes) -> None:
    text = json.dumps(GOOD).encode()
    require_refusal_or_mixture(text[:at] + data + text[at + cut :])


def require_refusal_or_mixture(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.json"
        path.write_bytes(data)
        try:
            back = read_model(str(path))
        except DataError as error:
            if "\n" in str(error):
                pytest.fail(str(error))
            return
    weights, parts = back.mixture.weights, back.mixture.components
    k, d = parts.means.shape
    assert weights.shape == (k,)
    assert weights.min() > 0
    assert weights.sum() == pytest.approx(1)
    if isinstance(parts, Gaussian):
        assert parts.covariances.shape == (k, d, d)
        assert (np.linalg.eigvalsh(parts.covariances / parts.covariances.max()) >= -1e-12).all()


@pytest.mark.parametrize("path", ["", "a\0b", "no\nfile"])
def test_paths_that_cannot_be(path: str) -> None:
    with pytest.raises(DataError) as caught:
        read_model(path)
    assert "\n" not in str(caught.value)


def test_twenty_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(json.dumps(GOOD).encode() + b" " * 20_000_000)
    with pytest.raises(DataError, match="too large"):
        read_model(str(path))
