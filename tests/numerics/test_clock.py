"""A clock that can be stopped."""

from __future__ import annotations

from emseg.numerics import clock


def test_it_goes_on_unless_stopped() -> None:
    begin = clock.seconds()
    assert begin > 0
    with clock.stopped():
        assert clock.seconds() == 0.0
        with clock.stopped(wanted=False):
            assert clock.seconds() == 0.0  # what is inside cannot start it
    with clock.stopped(wanted=False):
        assert clock.seconds() >= begin
    assert clock.seconds() >= begin
