"""Names of the files of a run. The module imports no numpy: the command line plans with it before any work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import sep
from os.path import basename, commonpath, dirname, islink, join, normcase, normpath, realpath, split, splitext
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
MOST_IDS = (1 << 16) - 1  # regions that a PNG of 16 bits can number
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
) -> list[Job]:
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
    inputs = [Input(source) if isinstance(source, str) else source for source in sources]
    if folder == STDIO:
        return _to_stdout(inputs, next(iter(always)))
    places = _Places(folder)
    paths = [path for entry in inputs for path in (entry.path, *entry.stack) if path != STDIO]
    taken = {places.key(path) for path in paths} | {normcase(realpath(path)) for path in paths}
    made: dict[str, str] = {}
    jobs = []
    for entry in inputs:
        if entry.problem:  # it has no results
            jobs.append(Job(entry.path, {}, "", entry.problem))
            continue
        stem = normpath(join(folder, entry.folder, _filled(name, entry, fields or {}) + entry.mark))
        places.require_inside(stem, entry)
        ends = of_volumes if entry.path.lower().endswith(VOLUMES) else suffixes
        files = {kind: stem + end for kind, end in ends.items()}
        place = places.real(dirname(stem))
        job = Job(entry.path, files, stem + report, entry.problem, page=entry.page, stack=entry.stack, place=place)
        for kind, path in (*job.files.items(), ("report", job.report)):
            key = places.key(path)
            where, what = shown(path), shown(entry.path)
            if key in made:
                other = shown(made[key])
                if normcase(realpath(entry.path)) == normcase(realpath(made[key])) and not entry.page:
                    raise UsageError(f"{what}: is named twice; name it once")
                raise UsageError(
                    f"{what}: its result {where} is also that of {other}; use a folder for each "
                    f"({option('output')}), {option('recursive', True)}, or {option('name', '{name}')}"
                )
            other = places.key(splitext(path)[0] + OTHERWISE[kind]) if kind in OTHERWISE else key
            if key in taken or other in taken or (islink(path) and normcase(realpath(path)) in taken):
                raise UsageError(
                    f"{what}: its result {where} would replace an input; use another folder ({option('output')})"
                )
            made[key] = entry.path
        jobs.append(job)
    return jobs


def with_labels_of_slices(files: Mapping[str, str], metadata: Mapping[str, Any]) -> dict[str, str]:
    """Results by kind, with a TIFF of labels for a volume that is no NIfTI: a picture shows its slices in a grid."""
    picture = files.get("labels", "")
    if "volume" not in metadata or "nifti" in metadata or not picture.endswith(".png") or "labels-tiff" in files:
        return dict(files)
    return {**files, "labels-tiff": picture.removesuffix(KINDS["labels"].suffix) + KINDS["labels-tiff"].suffix}


def with_wide_regions(files: Mapping[str, str], regions: int) -> dict[str, str]:
    """Results by kind, with a TIFF for the map of so many regions that 16 bits of a PNG do not hold their numbers."""
    picture = files.get("regions", "")
    if regions <= MOST_IDS or not picture.endswith(".png"):
        return dict(files)
    return {**files, "regions": picture.removesuffix(".png") + ".tif"}


def _to_stdout(inputs: list[Input], kind: str) -> list[Job]:
    if len(inputs) != 1:
        raise UsageError(
            f"{option('output', STDIO)}: one input goes to standard output, not {len(inputs)}; name a folder"
        )
    return [Job(inputs[0].path, {kind: STDIO}, STDIO, inputs[0].problem, page=inputs[0].page, stack=inputs[0].stack)]


def _filled(template: str, entry: Input, fields: Mapping[str, str]) -> str:
    """The template with the values of the names in braces. Attributes and formats are refused."""
    base = "stdin" if entry.path == STDIO else basename(normpath(entry.path))
    stem, suffix = splitext(base)
    if base.lower().endswith(VOLUMES) and suffix.lower() == ".gz":
        stem, suffix = stem[:-4], stem[-4:] + suffix
    parent = basename(dirname(entry.path))
    from string import Formatter  # help texts do without

    named = option("name", shown(template))
    known = {"stem": stem, "name": base, "suffix": suffix.removeprefix("."), "folder": parent, **fields}
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"{named}: {error}; write braces in pairs, as {{stem}}_{{k}}") from error
    text = ""
    for literal, field, spec, conversion in parts:
        if field is not None and (field not in known or spec or conversion):
            raise UsageError(f"{named}: there is no such field; use {', '.join(known)}, in braces")
        text += literal + (known[field] if field is not None else "")
    if not basename(text) or "\0" in text:
        raise UsageError(f"{named}: gives no name of a file; write, for one, {{stem}}")
    return text


class _Places:
    """The places that paths lead to, with links followed. Each folder is looked up once."""

    def __init__(self, folder: str) -> None:
        self.found: dict[str, str] = {}
        self.root = self.real(normpath(folder))

    def real(self, folder: str) -> str:
        if folder not in self.found:
            self.found[folder] = realpath(folder)
        return self.found[folder]

    def key(self, path: str) -> str:
        """A text that is equal for two paths of one file. A link in its place is replaced, so it is not followed."""
        folder, name = split(path)
        return normcase(join(self.real(folder), name))

    def require_inside(self, path: str, entry: Input) -> None:
        folder = self.real(dirname(path))
        if folder != self.root and not folder.startswith(self.root.rstrip(sep) + sep):
            raise UsageError(
                f"{shown(entry.path)}: its result {shown(path)} would leave the output folder; see {option('name')}"
            )


def common_folder(folders: Iterable[str]) -> str:
    """The deepest folder that holds all of these."""
    try:
        return commonpath([realpath(folder) for folder in folders])
    except ValueError as error:  # several drives
        raise UsageError(
            f"{option('recursive')}: the inputs have no folder in common; run the command for each"
        ) from error
