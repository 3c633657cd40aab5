"""Options that do not go together, and options that do nothing: each rule by an example, and none by its neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emseg.errors import UsageError
from emseg.options import checked
from emseg.options.effects import without_effect
from emseg.options.rules import require

HERE = str(Path(__file__))
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("compare", {"k": "2:4"}, "k='2:4': compare takes one number of components, as k=4"),
    ("impute", {"init": HERE}, "impute takes no file; use one of auto, kmeans++, random"),
    (
        "impute",
        {"family": "von-mises"},
        "has no quantiles, which impute needs; use family gaussian, student",
    ),
    ("segment", {"dof": 4}, "dof=4.0: gaussian has no degrees of freedom; use family='student'"),
    ("segment", {"covariance": "tied", "family": "gamma"}, "gamma has no covariances; use family gaussian or student"),
    ("segment", {"censored": "0,9", "family": "student"}, "student knows no bounds; use family='gaussian'"),
    ("segment", {"truncated": "0,9", "family": "poisson"}, "poisson knows no bounds; use family='gaussian'"),
    ("segment", {"partial_volume": True, "family": "student"}, "student has no mixed classes; use family='gaussian'"),
    ("segment", {"features": "gray:2", "family": "gamma"}, "features='gray:2': weights do nothing with family='gamma'"),
    ("segment", {"censored": "0,9", "noise": True}, "censored='0,9': does not go with noise=True"),
    ("segment", {"censored": "0,9", "features": "lab"}, "limits of stored values mean nothing to lab"),
    ("segment", {"censored": "0,9", "features": "rgb,xy"}, "limits of stored values mean nothing to rgb,xy"),
    ("segment", {"censored": "0,9", "truncated": "0,12"}, "must lie within truncated='0,12'"),
    ("segment", {"censored": "0,9", "truncated": "-1,9"}, "must lie within truncated='-1,9'"),
    ("segment", {"init": HERE, "k": "2:4"}, "sets the number of components; give it, not k='2:4'"),
    ("segment", {"scribbles": HERE, "k": "auto"}, "give one number of components, not k='auto'"),
    ("segment", {"prior_map": HERE, "k": "2:3"}, "give one number of components, not k='2:3'"),
    ("segment", {"scribbles": HERE, "noise": True}, "noise=True: does not go with scribbles, which says nothing of"),
    ("segment", {"prior_map": HERE, "noise": True}, "noise=True: does not go with prior_map, which says nothing of"),
    ("segment", {"scribbles": HERE, "truncated": "0,9"}, "scribbles: does not go with truncated"),
    ("segment", {"mrf": "auto", "truncated": "0,9"}, "mrf='auto': does not go with truncated"),
    *(
        ("segment", {"partial_volume": True, **other}, "partial_volume=True: does not go with ")
        for other in (
            *({"k": 1}, {"k": "2:4"}, {"noise": True}, {"censored": "0,9"}, {"truncated": "0,9"}, {"missing": "em"}),
            *({"scribbles": HERE}, {"prior_map": HERE}, {"base": "px", "family": "gaussian"}),
            *({"algorithm": name} for name in ("ecm", "ecme", "sage")),
        )
    ),
    ("segment", {"algorithm": "vb", "noise": True}, "variational Bayes has no noise component; leave out noise=True"),
    ("segment", {"algorithm": "vb", "censored": "0,9"}, "algorithm='vb': variational Bayes knows no bounds"),
    ("segment", {"algorithm": "vb", "family": "gamma"}, "has no conjugate prior for gamma; use family='gaussian'"),
    ("segment", {"algorithm": "vb", "covariance": "VEV"}, "has no conjugate prior for VEV; use one of full, tied"),
    ("segment", {"criterion": "elbo", "k": "1:2", "noise": True}, "criterion='elbo': variational Bayes has no noise"),
    ("segment", {"criterion": "elbo", "k": "1:2", "truncated": "0,9"}, "criterion='elbo': variational Bayes knows no"),
    ("segment", {"criterion": "mml", "k": "1:2", "noise": True}, "criterion='mml': annihilates components, noise too"),
    ("segment", {"algorithm": "ecm", "family": "poisson"}, "algorithm='ecm': poisson has one part to maximise"),
    ("segment", {"algorithm": "px"}, "algorithm='px': gaussian has no scale to expand; use family='student'"),
    ("segment", {"algorithm": "px", "family": "student", "noise": True}, "student with noise has no scale to expand"),
]
ALLOWED: list[tuple[str, dict[str, Any]]] = [
    ("segment", {}),
    ("segment", {"dof": 4, "family": "student"}),
    ("segment", {"covariance": "tied", "family": "student", "features": "lab:2"}),
    ("segment", {"censored": ",255", "truncated": ",256", "mrf": "none", "features": "rgb"}),
    ("segment", {"censored": "0,255", "mrf": "auto", "features": "gray"}),
    ("segment", {"init": HERE, "k": 3, "noise": True}),
    ("segment", {"scribbles": HERE, "prior_map": HERE, "mrf": "icm", "missing": "em"}),
    ("segment", {"partial_volume": True, "mrf": "auto", "k": 3}),
    ("segment", {"algorithm": "vb", "covariance": "EEI"}),
    ("segment", {"criterion": "mml", "k": "1:4"}),
    ("segment", {"algorithm": "anderson", "base": "px", "family": "student"}),
    ("compare", {"noise": True, "censored": ""}),
    ("impute", {"family": "poisson", "init": "random"}),
]


@pytest.mark.parametrize(("command", "options", "message"), REFUSED)
def test_refusals(command: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked.segmentation(command, **options)
    assert message in str(caught.value)
    assert "--" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("command", "options"), ALLOWED)
def test_what_goes_together(command: str, options: dict[str, Any]) -> None:
    found = checked.segmentation(command, **options)
    assert without_effect(command, found) == ()


def test_the_first_refusal_is_told() -> None:
    with pytest.raises(UsageError, match="second"):
        require([(False, "first"), (True, "second"), (True, "third")])
    require([(False, "first")])


def test_restoring() -> None:
    with pytest.raises(UsageError, match=r"gain=2\.0: is the value of a photon; it goes with noise='poisson'"):
        checked.denoising(gain=2)
    assert checked.denoising(gain=2, noise="poisson").gain == 2
    assert checked.inpainting(mask_value=3).mask_value == 3
