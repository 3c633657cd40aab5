"""A line on a terminal that says what is being done, drawn again several times a second until it is closed.

A thread draws it, so that it moves also where one step takes long. It shows the time that has passed, and iterations
and shares that are known. It never guesses how long the rest takes.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, RLock, Thread
from time import perf_counter
from typing import TextIO

from emseg.cli import signals
from emseg.cli.terminal import columns, spelled

PATIENCE = 0.5  # seconds before the line appears; most work is done by then, and tqdm is never loaded
INTERVAL = 0.2  # seconds between drawings
BAR = 22  # columns of the bar with its number
TURNING = "|/-\\"  # drawn one after the other, to show that something is being done


class LiveLine:
    """What is being done, on the terminal `stream`; a listener of `emseg.execution.steps`.

    Parameters
    ----------
    stream : text stream
    name : str
        The input that is worked on.
    total : int
        Inputs in all; 0 if there is one.
    threaded : bool
        Whether a thread draws. Without, `tick` must be called; a process that is to be copied has no second thread.
    """

    def __init__(self, stream: TextIO, name: str = "", total: int = 0, threaded: bool = True) -> None:
        self.stream, self.name, self.total, self.done = stream, name, total, 0
        self.doing = ""
        self.turn: int | None = None
        self.share: float | None = None
        self.begin, self.process = perf_counter(), os.getpid()
        self._lock, self._end = RLock(), Event()
        self._width, self._drawn, self._draws = 0, 0.0, 0
        signals.CLEANERS.append(self._end.set)  # a line that is drawn after the last message would hide it
        self._thread = Thread(target=self._draw_until_closed, daemon=True) if threaded else None
        if self._thread:
            self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it draws by itself, in this process."""
        return self._thread is not None and self.process == os.getpid()

    def step(self, name: str) -> None:
        """A step begins."""
        self.doing, self.turn, self.share = name, None, None
        self._drawn = 0.0  # a new step is news
        self.tick()

    def iteration(self, number: int) -> None:
        """The step is at the iteration of this number."""
        self.turn = number
        self.tick()

    def part(self, share: float) -> None:
        """So much of the step is done, from 0 to 1."""
        self.share = share
        self.tick()

    def next_input(self) -> None:
        """An input is done."""
        self.done += 1
        self.name = self.doing = ""
        self.turn = self.share = None
        self.draw()

    def tick(self) -> None:
        """Draw the line if it is time to."""
        now = perf_counter()
        if now - self.begin >= PATIENCE and now - self._drawn >= INTERVAL and not self._end.is_set():
            self.draw()

    def draw(self) -> None:
        """Draw the line now."""
        with self._lock, suppress(OSError, ValueError):
            self._drawn = perf_counter()
            self._draws += 1
            text = cut(spelled(self.text(), self.stream), columns() - 1)
            self.stream.write("\r" + text + " " * (self._width - width(text)))
            self.stream.flush()
            self._width = width(text)

    def text(self) -> str:
        """What the line says."""
        doing = self.doing + (f", iteration {self.turn}" if self.turn else "")
        if self.share is not None:
            doing += f" {_bar(self.share, self.stream)}"
        parts = [f"{self.done}/{self.total}" if self.total else "", self.name, doing]
        return f"{': '.join(filter(None, parts))}  {_clock(perf_counter() - self.begin)} {TURNING[self._draws % 4]}"

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Print something else inside; the line makes room."""
        with self._lock:
            self.clear()
            yield

    def clear(self) -> None:
        """Leave nothing of the line."""
        with self._lock, suppress(OSError, ValueError):
            if self._width:
                self.stream.write("\r" + " " * self._width + "\r")
                self.stream.flush()
            self._width = 0

    def close(self) -> None:
        """Draw no more, and leave nothing."""
        self._end.set()
        if self._thread:
            self._thread.join()
        self.clear()
        with suppress(ValueError):
            signals.CLEANERS.remove(self._end.set)

    def _draw_until_closed(self) -> None:
        wait = PATIENCE
        while not self._end.wait(wait):
            self.tick()
            wait = INTERVAL


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)


def cut(text: str, most: int) -> str:
    """The text without as much of its beginning as is wider than `most` columns: what moves is at its end."""
    if width(text) <= most:
        return text
    while text and width(text) >= most:
        text = text[1:]
    return f"~{text}" if text else ""


def _bar(share: float, stream: TextIO) -> str:
    """A share in percent and as a bar: tqdm's, of characters that the stream has."""
    from tqdm import tqdm

    plain, share = spelled("█", stream) != "█", min(max(share, 0.0), 1.0)
    form = "{percentage:3.0f}%|{bar}|"
    bar: str = tqdm.format_meter(share, 1, 0, ncols=BAR, ascii=plain, bar_format=form)
    return bar


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
