"""The golden values on disk: a JSON of what the reports say, and one compressed file of all maps."""

from __future__ import annotations

import io
import json
import lzma
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.runs import Outcome

HERE = Path(__file__).parent
REPORTS = HERE / "reports.json"
MAPS = HERE / "maps.npz.xz"

Key = tuple[str, str]  # names of the option set and of the image


def save(version: str, outcomes: Mapping[Key, Outcome]) -> None:
    """Write the outcomes as golden values.

    Parameters
    ----------
    version : str
        Of the code that gave them.
    outcomes : mapping
        By option set and image.
    """
    common = frozenset.intersection(*(outcome.paths for outcome in outcomes.values() if outcome.code == 0))
    maps: dict[str, np.ndarray] = {}
    runs: dict[str, dict[str, Any]] = {}
    for (name, image), outcome in outcomes.items():
        entry: dict[str, Any] = {"code": outcome.code}
        if outcome.code == 0:
            report = outcome.report
            entry |= {key: report[key] for key in ("K", "status", "log_likelihood")}
            entry["paths"] = sorted(outcome.paths - common)
        runs.setdefault(name, {})[image] = entry
        maps |= {f"{name} {image} {kind}": grid for kind, grid in outcome.maps.items()}
    content = {"version": version, "common": sorted(common), "runs": runs}
    REPORTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **maps)
    MAPS.write_bytes(lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME))


@cache
def load() -> dict[Key, Outcome]:
    """The golden outcomes by option set and image."""
    content = json.loads(REPORTS.read_text("utf-8"))
    with np.load(io.BytesIO(lzma.decompress(MAPS.read_bytes())), allow_pickle=False) as archive:
        maps = {tuple(key.split()): archive[key] for key in archive.files}
    outcomes = {}
    for name, images in content["runs"].items():
        for image, entry in images.items():
            found = {kind: maps[name, image, kind] for kind in ("labels", "regions") if (name, image, kind) in maps}
            paths = frozenset(entry["paths"] + content["common"]) if entry["code"] == 0 else frozenset()
            outcomes[name, image] = Outcome(entry["code"], found, entry, paths, "")
    return outcomes
