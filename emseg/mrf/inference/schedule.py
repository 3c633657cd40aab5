"""How many iterations and sweeps each method takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """How often.

    Attributes
    ----------
    iterations : int
        Steps of EM.
    hold : int
        Of these, how many at first with γ = 1 (gibbs).
    sweeps : int
        Sweeps in an iteration.
    answer : int
        Sweeps with fixed parameters at the end.
    still : float
        How much β and the classes' shares may still move at the end (mean-field).
    """

    iterations: int
    hold: int
    sweeps: int
    answer: int
    still: float = 1e-3

    def gamma(self, t: int) -> float:
        """γ_t, from t = 0 on."""
        return 1.0 if t < self.hold else float((t - self.hold + 1) ** -0.7)


SCHEDULES = {
    "gibbs": Schedule(150, 60, 1, 80),
    "mean-field": Schedule(60, 60, 2, 10),
    "icm": Schedule(30, 30, 1, 10),
    "graph-cut": Schedule(5, 5, 1, 1),
}
ALONE = Schedule(1000, 1000, 1, 1, still=1e-6)  # of mean field where β is 0 and nothing is gained by an early end
