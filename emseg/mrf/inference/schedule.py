"""How many iterations and sweeps a method takes."""

from __future__ import annotations

from emseg.records import record

DECAY = 0.7  # exponent of the step sizes; stochastic approximation converges for ½ < exponent ≤ 1 (Delyon et al. 1999)


@record(frozen=True)
class Schedule:
    """How often a method goes over the field.

    Attributes
    ----------
    iterations : int
        Iterations of EM, at most.
    hold : int
        Iterations at the beginning with step size 1, which forget what was before.
    sweeps : int
        Sweeps over the field in one iteration.
    answer : int
        Sweeps at the end, with fixed parameters.
    still : float
        The fit ends early once β and the classes' shares of the pixels move less than this; 0 for never.
    """

    iterations: int
    hold: int
    sweeps: int
    answer: int
    still: float = 0.0

    def step_size(self, iteration: int) -> float:
        """γ_t of stochastic approximation: the weight of iteration t = 0, 1, … beside all before it."""
        return 1.0 if iteration < self.hold else float((iteration - self.hold + 1) ** -DECAY)
