"""Files under temporary hidden names until all of them are written; and removal of what killed processes have left.

A hidden name is made of the hash of its report's name and a number. So the next run of the same input finds what was
left behind without looking at anything else. A process holds a lock on each of its hidden files for as long as it
lives. A file without a lock is abandoned.

The folder itself is pinned. Somebody who may write where it lies could put a link in its place in the middle of a run,
and results would go where the link leads. So it must still be where it was when the run was planned. From then on it is
reached through a handle, where the system has a path for that (Linux: /proc/self/fd), and not by its name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from os.path import basename, dirname, isdir, join, realpath

from emseg.errors import OutputError, shown

try:
    import fcntl
except ImportError:  # Windows: a file that is open cannot be removed, which serves as a lock
    fcntl = None  # type: ignore[assignment]

BINARY = getattr(os, "O_BINARY", 0)  # where the system would translate line ends
# Hidden files of one report. Only processes that write the same report at once make more than a dozen.
MOST_STAGED = 1000
# Wait for another process that is renaming files in the same folder, which takes milliseconds on a local disk.
LOCK_SECONDS = 10.0
#: What file systems answer that have no links, such as FAT and some of networks.
NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK)
HANDLES = "/proc/self/fd"
#: Opens a folder for its handle alone, which needs no permission to list it.
FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_PATH", 0) | getattr(os, "O_DIRECTORY", 0)
_OPEN: set[StagedFiles] = set()


class StagedFiles:
    """Files of a folder under hidden names until they are published; those that never are, are removed in the end."""

    def __init__(self, report: str) -> None:
        self.report = report
        self.folder = dirname(report) or "."
        self.names: dict[str, str] = {}
        self.handles: dict[str, int] = {}
        self.linked: list[str] = []

    def __enter__(self) -> StagedFiles:
        _OPEN.add(self)
        return self

    def __exit__(self, *failure: object) -> None:
        self.discard()
        _OPEN.discard(self)

    def discard(self) -> None:
        """Remove what has not been published."""
        for path, name in list(self.names.items()):
            with suppress(OSError):
                os.remove(name)
            self._release(path)

    def write(self, path: str, data: bytes) -> None:
        """Write what will be `path` and wait until it is on the disk; permissions follow the umask."""
        self.write_parts(path, (data,))

    def write_parts(self, path: str, parts: Iterable[bytes]) -> None:
        """Write what will be `path`, part by part, as `write` does."""
        for name in staging_names(self.report):
            if name in self.names.values():
                continue
            if _abandoned(name):
                with suppress(OSError):
                    os.remove(name)
            self.names[path] = name
            try:
                handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o666)
            except FileExistsError:  # of another process, which may be at work
                del self.names[path]
                continue
            self.handles[path] = handle
            if not _locked(handle, name):  # another process took it for abandoned
                self._release(path)
                continue
            for part in parts:
                view = memoryview(part)
                while view:
                    view = view[os.write(handle, view) :]
            os.fsync(handle)
            return
        raise OSError(errno.EEXIST, "too many hidden files of emseg; remove .emseg-*.tmp", None, None, self.folder)

    def publish(self, *paths: str, free: Collection[str] = ()) -> None:
        """Give files their final names, but for those that have theirs already.

        Parameters
        ----------
        *paths : str
        free : collection of str
            Those of them that stand for nothing yet. What appears there in the meantime is not replaced.

        Raises
        ------
        FileExistsError
            If something has appeared at one of the free paths. The files before it have their names; `withdraw` takes
            them back.
        """
        for path in paths:
            if path in self.names:
                name = self.names[path]
                if path in free:
                    link_new(name, path)
                    self.linked.append(path)
                else:
                    os.replace(name, path)
                self._release(path)
        _sync(self.folder)

    def withdraw(self) -> None:
        """Remove the files that were given names that stood for nothing before."""
        for path in self.linked:
            with suppress(OSError):
                os.remove(path)
        self.linked.clear()

    def _release(self, path: str) -> None:
        self.names.pop(path, None)
        handle = self.handles.pop(path, None)
        if handle is not None:
            os.close(handle)


def link_new(name: str, path: str) -> None:
    """Rename a file if nothing has the other name; raise FileExistsError if something has."""
    if os.name == "nt":  # where renaming never replaces
        os.rename(name, path)
        return
    try:
        os.link(name, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # A file system without links. The name is taken, which is refused if something has it, and then replaced.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.replace(name, path)
        return
    with suppress(OSError):  # one that is left has its content under its name, and counts as abandoned
        os.remove(name)


def staging_names(report: str) -> Iterator[str]:
    """The hidden names that files of this report may have, in the order of use."""
    digest = hashlib.sha256(os.fsencode(basename(report))).hexdigest()[:16]
    return (join(dirname(report), f".emseg-{digest}-{number}.tmp") for number in range(MOST_STAGED))


def remove_abandoned(report: str, files: int) -> None:
    """Remove hidden files that killed processes have left of a report with so many other files."""
    for _, name in zip(range(files + 2), staging_names(report), strict=False):
        if _abandoned(name):
            with suppress(OSError):
                os.remove(name)


def discard_all() -> None:
    """Remove every hidden file of this process, which is about to end."""
    for staged in list(_OPEN):
        staged.discard()


@contextmanager
def pinned(folder: str, place: str = "") -> Iterator[str]:
    """Make the folder if need be, and give a path of it that its name does not matter to.

    Parameters
    ----------
    folder : str
    place : str
        Its real path when the run was planned; where it is not known, it is what it is now.

    Raises
    ------
    OutputError
        If it is another folder now. Messages of errors inside name `folder`, not the path that is given.
    OSError
        If it can be neither made nor opened.
    """
    place = place or realpath(folder)
    _require_place(folder, place)  # before anything is made there
    os.makedirs(folder, exist_ok=True)
    if not isdir(HANDLES):
        _require_place(folder, place)
        yield folder
        return
    handle = os.open(folder, FOLDER_FLAGS)
    try:
        pin = join(HANDLES, str(handle))
        if realpath(pin) != place:
            _require_place(pin, place, folder)
        yield pin
    except OutputError as error:
        raise type(error)(error.message.replace(pin, shown(folder))) from error
    finally:
        os.close(handle)


def _require_place(folder: str, place: str, name: str = "") -> None:
    if realpath(folder) != place:
        remedy = "look for links that somebody has put there, and start again"
        raise OutputError(f"{shown(name or folder)}: is not the folder any more that it was at the start; {remedy}")


@contextmanager
def folder_lock(folder: str) -> Iterator[None]:
    """Hold the lock of a folder, so that two processes do not mix their renames.

    The work is done all the same if the file system has no locks, or if no lock is free after `LOCK_SECONDS`.
    """
    handle = -1
    if fcntl is not None:
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
    try:
        end = time.monotonic() + LOCK_SECONDS
        while handle >= 0:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    break
                time.sleep(0.01)
            except OSError:
                break
        yield
    finally:
        if handle >= 0:
            os.close(handle)


def _locked(handle: int, name: str) -> bool:
    """Lock a new file; False if its name no longer stands for it. True if the system has no locks."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle), os.lstat(name))
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError:
        return True


def _abandoned(name: str) -> bool:
    """Whether a hidden file is there and no process holds it."""
    if fcntl is None:
        return os.path.lexists(name)
    try:
        handle = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def _sync(folder: str) -> None:
    """Make the renaming itself durable, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
