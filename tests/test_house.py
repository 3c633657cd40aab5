"""The house rules that a machine can check: who may import whom, what start-up may load, how long a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import emseg

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "emseg"
FILES = sorted(PACKAGE.rglob("*.py"))
# A room may import itself and what stands after it.
ORDER = [
    *("cli", "commands", "stages", "options", "regions", "output", "restore", "mrf", "em", "mixture", "features"),
    *("image", "execution", "numerics", "strict_json", "errors", "records", "version"),
]
TERMINAL = {"click", "tqdm"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Every imported module in dotted form, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno}: relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_only_downwards(path: Path) -> None:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts[0] in {"__init__", "__main__"}:  # the roof: it shows what the house offers
        return
    below = ORDER[ORDER.index(parts[0]) :]
    for module in imports(path):
        if module.split(".")[0] == "emseg":
            assert room(module) in below, f"{name(path)} imports {module}, which stands above it"


def circles() -> set[frozenset[str]]:
    """Sets of files that import each other in a circle, imports for type checking and within functions included."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
    edges = {
        module: {
            found
            for target in imports(path)
            for found in (target, target.rpartition(".")[0])
            if found in modules and found != module
        }
        for module, path in modules.items()
    }
    # What each file reaches, by and by: two files are in one circle if each reaches the other (Warshall 1962).
    reached = {module: set(direct) for module, direct in edges.items()}
    for middle in modules:
        for module in modules:
            if middle in reached[module]:
                reached[module] |= reached[middle]
    together = {
        module: frozenset(other for other in reached[module] if module in reached[other] or other == module)
        for module in modules
        if module in reached[module]
    }
    return set(together.values())


def test_no_imports_go_in_a_circle() -> None:
    assert circles() == set()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_the_command_line_knows_the_terminal(path: Path) -> None:
    used = {module.split(".")[0] for module in imports(path)}
    assert path.is_relative_to(PACKAGE / "cli") or not used & TERMINAL, f"{name(path)} imports {used & TERMINAL}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_the_command_line_spells_options_for_a_shell(path: Path) -> None:
    """Elsewhere, docstrings and comments have their Python names, and messages are made with `emseg.errors.option`."""
    parts = path.relative_to(PACKAGE).parts
    if parts[0] in {"cli", "options", "errors.py"}:
        return
    found = re.findall(r"(?<![\w-])--[a-z][a-z-]+", path.read_text("utf-8"))
    assert not found, f"{name(path)} writes {found}; use option('name', value) of emseg.errors"


#: Calls that open a file, unless what they are given is bytes in memory.
OPENERS = {"open", "imread", "read_text", "read_bytes", "memmap", "fromfile", "loadtxt", "genfromtxt"}


def openings(path: Path) -> Iterator[str]:
    """Every call that opens a file: the built-in `open`, `np.load`, and methods and functions of `OPENERS`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        spelled = ast.unparse(node.func)
        called = "open" if spelled == "np.load" else spelled.rpartition(".")[2]
        in_memory = any(isinstance(part, ast.Call) and "BytesIO" in ast.unparse(part.func) for part in node.args)
        if called in OPENERS and spelled != "os.open" and not in_memory:
            yield f"{name(path)}:{node.lineno}: {spelled}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_image_and_output_open_files(path: Path) -> None:
    parts = path.relative_to(PACKAGE).parts
    if parts[0] in {"image", "output", "cli", "__main__.py"}:
        return
    opened = list(openings(path))
    assert not opened, f"{opened}: files are opened in image and output; hand bytes or arrays in"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 300, f"{name(path)} is asking to be split"


@pytest.mark.parametrize(
    "code",
    [
        "import emseg",
        "import emseg.em.registry, emseg.options.declarations.segmentation",
        "from emseg.cli.main import cli; cli(['--help'], standalone_mode=False)",
        "from emseg.cli.main import cli; cli(['segment', '--help'], standalone_mode=False)",
    ],
)
def test_start_up_loads_no_numpy(code: str) -> None:
    check = "import sys; sys.exit(str({'numpy', 'scipy', 'PIL', 'skimage', 'tqdm'} & set(sys.modules) or '') or 0)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{check}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


#: What a plain segmentation does without, as beginnings of the names of modules.
NOT_FOR_A_PLAIN_SEGMENTATION = (
    *(
        "emseg.mrf.",
        "emseg.regions",
        "emseg.restore",
        "emseg.execution.processes",
        "emseg.options.declarations.restoration",
    ),
    *("emseg.options.keywords", "emseg.em.stochastic", "emseg.em.starts.annihilation", "emseg.mixture.links"),
    *("emseg.mixture.conjugate_prior", "emseg.mixture.conditional.predictive", "emseg.mixture.conditional.regression"),
    *("emseg.mixture.families.", "emseg.numerics.truncated", "emseg.features.kinds.", "emseg.image.formats."),
    *("emseg.image.label_maps", "emseg.output.maps", "emseg.output.charts", "scipy", "skimage", "tifffile", "tqdm"),
    *("numpy.ma.", "numpy.fft", "numpy.polynomial"),
)
FOR_A_PLAIN_SEGMENTATION = {
    *("emseg.mrf.inference", "emseg.mrf.inference.registry"),  # names of options
    *("emseg.mixture.families.registry", "emseg.mixture.families.gaussian"),
    *("emseg.features.kinds.gray", "emseg.image.formats.registry", "emseg.image.formats.pillow"),
}
#: Modules of emseg that it loads, and some room: each takes 0.1 to 0.3 ms of a process of 160 ms.
MOST_MODULES = 150


def test_a_plain_segmentation_loads_only_what_it_uses(tmp_path: Path) -> None:
    """Start-up is half the time of a small image, and most of it is loading modules."""
    photo = str(ROOT / "sample_images" / "camera.png")
    arguments = ["segment", photo, "-k", "4", "-o", str(tmp_path), "--quiet"]
    code = (
        "import sys; from emseg.cli.main import cli; "
        f"cli({arguments}, standalone_mode=False); print(*sys.modules, sep='\\n')"
    )
    command = [sys.executable, "-c", code]
    loaded = set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    idle = {module for module in loaded - FOR_A_PLAIN_SEGMENTATION if module.startswith(NOT_FOR_A_PLAIN_SEGMENTATION)}
    assert not idle, f"{sorted(idle)}: import them where they are used"
    assert sum(module.partition(".")[0] == "emseg" for module in loaded) <= MOST_MODULES


def test_public_names_exist() -> None:
    assert dir(emseg) == sorted(emseg.__all__)
    for public in emseg.__all__:
        assert getattr(emseg, public) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        emseg.nonsense  # noqa: B018
