"""A signal that comes while files get their names takes effect afterwards."""

from __future__ import annotations

import signal
import threading

import pytest

from emseg.output.store.interrupts import END_SIGNALS, signals_held


def test_it_waits() -> None:
    passed = []

    def work() -> None:
        with signals_held():
            signal.raise_signal(signal.SIGINT)
            passed.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert passed == [True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", END_SIGNALS)
def test_the_handler_that_was_there_gets_it_once(number: int) -> None:
    found: list[int] = []
    before = signal.signal(number, lambda number, frame: found.append(number))
    try:
        with signals_held():
            signal.raise_signal(number)
            signal.raise_signal(number)
            assert found == []
        assert found == [number]
        signal.raise_signal(number)
        assert found == [number] * 2
    finally:
        signal.signal(number, before)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with signals_held():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_error_inside_comes_through() -> None:
    with pytest.raises(ZeroDivisionError), signals_held():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_are_left_alone() -> None:
    done = []

    def work() -> None:
        with signals_held():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
