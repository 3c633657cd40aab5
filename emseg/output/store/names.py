"""Names of the files of a run. The module imports no numpy: the command line plans with it before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import scandir, sep
from os.path import altsep, basename, dirname, islink, join, normcase, normpath, realpath, split, splitext
from typing import Any

from emseg.errors import UsageError, option, shown
from emseg.image.formats.registry import VOLUMES
from emseg.output.registry import KINDS, for_volume, written_always
from emseg.records import NamedRecord

REPORT = ".json"
#: What `compare` writes, and its report.
COMPARE, COMPARE_REPORT = {"csv": ".compare.csv", "svg": ".compare.svg"}, ".compare.json"
#: What `denoise` writes, and its report.
DENOISE, DENOISE_REPORT = {"image": ".denoised.png"}, ".denoised.json"
#: What `inpaint` writes, what it can add, and its report.
INPAINT, INPAINT_REPORT = {"image": ".inpainted.png"}, ".inpainted.json"
#: How the names of pictures end that a PNG cannot hold.
OTHERWISE = {"image": ".tif"}
UNCERTAINTY = {"uncertainty": ".uncertainty.tif"}
#: How the names of pictures end that are restored from NIfTI volumes.
OF_VOLUMES = {
    end: end.rpartition(".")[0] + ".nii.gz" for kinds in (DENOISE, INPAINT, UNCERTAINTY) for end in kinds.values()
}
STDIO = "-"
STEM = "{stem}"


class Input(NamedRecord):
    """An input of a command.

    Attributes
    ----------
    path : str
        As the user wrote it; "-" is standard input.
    folder : str
        Where its results go, below the output folder.
    problem : str
        Why the input cannot be worked on; empty if it can.
    page : int
        Which of its pages, from 1; 0 is the first because nobody said which.
    mark : str
        What the names of results end with before their suffixes, to tell pages apart.
    stack : tuple of str
        Paths of further files that are one image with it.
    """

    path: str
    folder: str = ""
    problem: str = ""
    page: int = 0
    mark: str = ""
    stack: tuple[str, ...] = ()


class Job(NamedRecord):
    """An input and the paths of its results: `files` by kind in the order of writing, and the report, written last.

    Results go to standard output where the report's path is "-". `recipe` is the hash of everything but the input that
    decides what the results are; `problem` says why the input cannot be worked on. `page`, `axes`, `truncated_ok`,
    `channels`, `max_pixels` and `max_memory` are those of `emseg.image.limits.Reading`. `stack` are further files of
    one image. `place` is the real path of the folder of the results; it must still be that when they are written.
    """

    source: str
    files: dict[str, str]
    report: str
    problem: str = ""
    recipe: str = ""
    page: int = 0
    max_pixels: int | None = None
    max_memory: int | None = None
    axes: str = ""
    truncated_ok: bool = False
    channels: tuple[int | str, ...] = ()
    stack: tuple[str, ...] = ()
    place: str = ""


def plan(
    sources: Sequence[str | Input],
    folder: str,
    extra: Iterable[str] = (),
    always: Mapping[str, str] | None = None,
    report: str = REPORT,
    name: str = STEM,
    fields: Mapping[str, str] | None = None,
) -> Jobs | list[Job]:
    """Name the results of every input.

    Parameters
    ----------
    sources : the inputs, or their paths.
    folder : where the results go; "-" is standard output, for the first kind of result of a single input.
    extra : names of `emseg.output.registry.KINDS` to write besides.
    always : suffixes of the other results by kind; those of a segmentation unless given.
    report : suffix of the report.
    name : what the names of results begin with; may hold {stem}, {name}, {suffix} and {folder} of the input.
    fields : what else it may hold.

    Raises
    ------
    UsageError
        If a file would be the result of two inputs, a result would replace an input or leave the folder, or the
        template makes no sense.
    """
    always = written_always() if always is None else always
    suffixes = {**always, **{kind: KINDS[kind].suffix for kind in extra}}
    of_volumes = for_volume({kind: OF_VOLUMES.get(end, end) for kind, end in suffixes.items()})
    if folder == STDIO:
        return _to_stdout(list(map(as_input, sources)), next(iter(always)))
    names = _Names(folder, suffixes, of_volumes, report, name, fields or {})
    jobs = Jobs(sources, names.job)
    if not names.all_apart(sources):
        from emseg.output.store.clashes import require_apart  # most names show at once that they differ

        inputs = map(as_input, sources)
        paths = (path for entry in inputs for path in (entry.path, *entry.stack) if path != STDIO)
        require_apart(jobs, paths, names.places.key, OTHERWISE)
    return jobs


class Jobs(Sequence[Job]):
    """Jobs that are made when they are asked for: a million of them would take a gigabyte."""

    def __init__(self, sources: Sequence[str | Input], make: Callable[[Input], Job]) -> None:
        self.sources, self.make = sources, make

    def __len__(self) -> int:
        return len(self.sources)

    def __iter__(self) -> Iterator[Job]:
        return map(self.make, map(as_input, self.sources))

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return Jobs(self.sources[at], self.make)
        return self.make(as_input(self.sources[at]))


def with_all(jobs: Sequence[Job], **same: Any) -> Sequence[Job]:
    """Jobs with the same further values for all."""
    if not isinstance(jobs, Jobs):
        return [job._replace(**same) for job in jobs]
    make = jobs.make
    return Jobs(jobs.sources, lambda entry: make(entry)._replace(**same))


def as_input(source: str | Input) -> Input:
    """An input of which no more than its path is known, or the input itself."""
    return Input(source, "", "", 0, "", ()) if isinstance(source, str) else source


class _Names:
    """The names of the results of inputs."""

    def __init__(
        self,
        folder: str,
        suffixes: Mapping[str, str],
        of_volumes: Mapping[str, str],
        report: str,
        name: str,
        fields: Mapping[str, str],
    ) -> None:
        self.folder, self.suffixes, self.of_volumes, self.report = folder, suffixes, of_volumes, report
        self.name, self.fields, self.places = name, fields, Places(folder)
        self.before = normpath(join(folder, "x"))[:-1]

    def stem(self, entry: Input) -> str:
        """What all results of an input begin with, folders included."""
        if self.name == STEM and not entry.folder and entry.path != STDIO:  # most names, quickly
            stem = _stem_of(entry.path)[0] + entry.mark
            if stem not in ("", ".", "..") and "\0" not in stem:
                return self.before + stem
        return normpath(join(self.folder, entry.folder, _filled(self.name, entry, self.fields) + entry.mark))

    def job(self, entry: Input) -> Job:
        """The job of an input; without results if the input has a problem."""
        if entry.problem:
            return Job(entry.path, {}, "", entry.problem)
        stem = self.stem(entry)
        ends = self.of_volumes if entry.path.lower().endswith(VOLUMES) else self.suffixes
        files = {kind: stem + end for kind, end in ends.items()}
        place = self.places.real(_apart(stem)[0])
        # All values in their order: a million jobs are made in a dry run.
        return Job(
            entry.path, files, stem + self.report, "", "", entry.page, None, None, "", False, (), entry.stack, place
        )

    def all_apart(self, sources: Sequence[str | Input]) -> bool:
        """Whether what names begin with already shows that no result is another one, or an input.

        Raises
        ------
        UsageError
            If a result would leave the folder.
        """
        ends = {*self.suffixes.values(), *self.of_volumes.values(), self.report}
        ends |= {end.rpartition(".")[0] + OTHERWISE[kind] for kind, end in self.suffixes.items() if kind in OTHERWISE}
        # One name that begins another and ends alike: x.emseg + .json, x + .emseg.json.
        inner = tuple({long[: -len(short)] for long in ends for short in ends if long.endswith(short)} - {""})
        outer, found, inside, apart, taken = tuple(ends), set[int](), set[str](), True, 0
        for source in sources:
            entry = as_input(source)
            if entry.problem:
                continue
            taken += 1
            stem = self.stem(entry)
            where, name = _apart(stem)
            if where not in inside:
                self.places.require_inside(stem, entry)
                inside.add(where)
            found.add(hash((self.places.real(where), normcase(name))))
            for path in (entry.path, *entry.stack):
                ended = path.endswith(outer) or (islink(path) and realpath(path).endswith(outer))
                apart = apart and not (ended or stem.endswith(inner))
        return apart and len(found) == taken and not self.places.have_links()


def _to_stdout(inputs: list[Input], kind: str) -> list[Job]:
    if len(inputs) != 1:
        raise UsageError(
            f"{option('output', STDIO)}: one input goes to standard output, not {len(inputs)}; name a folder"
        )
    return [Job(inputs[0].path, {kind: STDIO}, STDIO, inputs[0].problem, page=inputs[0].page, stack=inputs[0].stack)]


def _apart(path: str) -> tuple[str, str]:
    """`os.path.split`, which takes four times as long."""
    folder, _, name = path.rpartition(sep)
    return (folder, name) if folder and folder[-1] != sep and altsep is None else split(path)


def _stem_of(path: str) -> tuple[str, str, str]:
    """The name of a file without its suffix, with it, and the suffix."""
    base = _apart(path)[1] or basename(normpath(path))
    stem, dot, end = base.rpartition(".")
    stem, suffix = (stem, dot + end) if stem and stem[0] != "." else splitext(base)  # which takes three times as long
    if suffix.lower() == ".gz" and base.lower().endswith(VOLUMES):
        stem, suffix = stem[:-4], stem[-4:] + suffix
    return stem, base, suffix


def _filled(template: str, entry: Input, fields: Mapping[str, str]) -> str:
    """The template with the values of the names in braces. Attributes and formats are refused."""
    stem, base, suffix = _stem_of("stdin" if entry.path == STDIO else entry.path)
    parent = basename(dirname(entry.path))
    if template == STEM and stem and "\0" not in stem:
        return stem
    from emseg.output.store.templates import filled_in  # most names have none

    return filled_in(
        template, {"stem": stem, "name": base, "suffix": suffix.removeprefix("."), "folder": parent, **fields}
    )


def _holds_links(folder: str) -> bool:
    try:
        with scandir(folder) as entries:
            return any(entry.is_symlink() for entry in entries)
    except OSError:
        return False


class Places:
    """The places that paths lead to, with links followed. Each folder is looked up once."""

    def __init__(self, folder: str) -> None:
        self.found: dict[str, str] = {}
        self.root = self.real(normpath(folder))

    def real(self, folder: str) -> str:
        """The folder with links followed."""
        if folder not in self.found:
            self.found[folder] = realpath(folder)
        return self.found[folder]

    def key(self, path: str) -> str:
        """A text that is equal for two paths of one file. A link in its place is replaced, so it is not followed."""
        folder, name = split(path)
        return normcase(join(self.real(folder), name))

    def have_links(self) -> bool:
        """Whether there is a link in any of the folders looked up, those without results included."""
        return any(_holds_links(folder) for folder in self.found.values())

    def require_inside(self, path: str, entry: Input) -> None:
        """Raise UsageError if a result does not lie in the output folder."""
        folder = self.real(dirname(path))
        if folder != self.root and not folder.startswith(self.root.rstrip(sep) + sep):
            raise UsageError(
                f"{shown(entry.path)}: its result {shown(path)} would leave the output folder; see {option('name')}"
            )
