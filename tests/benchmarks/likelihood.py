"""How good the fits are: log-likelihood per pixel on the sample images, against scikit-learn's starts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.measure import ROOT, python, run
from tests.benchmarks.report import Report, Row, Table

SAMPLES = {
    "astronaut.png": ("rgb", "lab"),
    "coffee.jpg": ("rgb", "lab"),
    "camera.png": ("gray",),
    "brick.png": ("gray",),
    "cell.png": ("gray",),
}
COMPONENTS = (3, 4, 6, 8)
N_INIT, AT = 10, 4  # that many starts of scikit-learn's, at that K only: it takes minutes
TIE = 1e-5  # nats per pixel, emseg's default tolerance


@dataclass(frozen=True)
class Case:
    """Nats per pixel of one image, kind of features and K."""

    name: str
    ours: float
    reported: float
    two: float
    ten: float | None

    def line(self) -> tuple[str, ...]:
        """A row of the table of details."""
        ten = ("–", "–") if self.ten is None else (f"{self.ten:.5f}", f"{self.ours - self.ten:+.5f}")
        return (self.name, f"{self.ours:.5f}", f"{self.two:.5f}", f"{self.ours - self.two:+.5f}", *ten)


def measure(quick: bool) -> Report:
    """Count the cases in which ours is at least as good, and list all of them with the gap."""
    cases = list(_cases(quick))
    colour = [case.ours - case.two for case in cases if " gray " not in case.name]
    targets = [_row("the better of scikit-learn's two inits (RGB and Lab)", colour, share=1.0)]
    gaps = [case.ours - case.ten for case in cases if case.ten is not None]
    if gaps:
        targets.append(_row(f"scikit-learn's n_init={N_INIT} (k = {AT})", gaps, share=0.9))
    off = max(abs(case.ours - case.reported) for case in cases)
    caption = (
        f"Log-likelihood, nats per pixel; what emseg reports differs by at most {off:.1g} from this. On grey images,"
        " where scikit-learn leads, one of its components sits on a single grey value with the variance 1e-6 that it"
        " adds: a density without bound, which emseg's search avoids, and so no target:"
    )
    head = ("image", "emseg", "better of two inits", "gap", f"n_init={N_INIT}", "gap")
    return Report(targets, [Table(caption, head, [case.line() for case in cases])])


def _cases(quick: bool) -> Iterator[Case]:
    """Every sample image with its features and K."""
    for image, spaces in SAMPLES.items():
        for features in spaces:
            for k in COMPONENTS if not quick else (AT,):
                ten = N_INIT if k == AT and not quick else 1
                said = run(python("fits", ROOT / "sample_images" / image, features, k, ten)).said
                two = max(said["kmeans"], said["random_from_data"])
                case = Case(f"{image} {features} k={k}", said["emseg"], said["reported"], two, said.get("n_init"))
                print(f"{case.name}: {case.ours - case.two:+.5f}", file=sys.stderr, flush=True)
                yield case


def _row(peer: str, gaps: list[float], share: float) -> Row:
    """How often ours is at least as good, up to a tie."""
    lost = [gap for gap in gaps if gap < -TIE]
    measured = f"{len(gaps) - len(lost)} of {len(gaps)}" + (f", at worst {min(gaps):.4f} nats" if lost else "")
    wanted = "all" if share == 1 else f"{share:.0%}"
    return Row(f"log-likelihood at least that of {peer}", measured, wanted, len(lost) <= (1 - share) * len(gaps) + 1e-9)
