"""The options of a fit to an image, for `segment`, `compare` and `impute`. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping

from emseg.errors import option as spelled
from emseg.features.registry import FEATURES
from emseg.options import choices
from emseg.options.declaration import COMPARISON, FIELD, FIT, MODEL, PIXELS, REGIONS, declared
from emseg.options.declarations.pixel_options import grow, mask_above, nodata
from emseg.options.kinds.basic_kinds import (
    Choice,
    Flag,
    Names,
    Number,
    Optional,
    Whole,
    below_one,
    field_strength,
    inside_one,
    not_negative,
    positive,
)
from emseg.options.kinds.file_kinds import InputFile
from emseg.options.kinds.text_kinds import (
    AUTO,
    WORDS,
    Box,
    ClassGroups,
    Components,
    Features,
    Limits,
    Path,
    Settings,
    k_range,
)
from emseg.records import record

SEGMENT, IMAGES, SEARCHING = "segment", "segment compare", "segment impute fit"
FITTED, ALL = f"{IMAGES} fit", f"{IMAGES} impute fit"
_LIMITED = "Needs the stored channels as features, and Gaussians."


class MaskOptions:
    """Which pixels count. Python functions take arrays, too, as an argument of their own."""

    mask: str | None = declared(
        Optional(InputFile(("alpha",), "FILE|alpha")), None, PIXELS,
        "Image of the same size: only its pixels that are not 0 are used; outside, the label is 0. So white is kept; "
        "in the mask of inpaint, white is filled. alpha: the opacity of the image itself.",
        "segment apply compare", recorded=False,
    )  # fmt: skip


class ImputeMaskOptions:
    """Which values of an image are known."""

    mask: str | None = declared(
        Optional(InputFile()), None, PIXELS,
        "For images, one of the same size: where it is 0 values are missing, in all channels, or in each channel by "
        "itself if it has as many.", "impute", recorded=False,
    )  # fmt: skip


@record(frozen=True)
class SegmentOptions:
    """Options of `emseg.segment`; some of them are those of `compare` and `impute`, too.

    Each attribute is an option. `help(emseg.segment)` and the page `options` of the guide say what it means.
    """

    k: int | str = declared(
        Components(), 4, MODEL,
        f"Number of classes; or a range LO:HI to choose from, as 2:9; auto is {AUTO[0]}:{AUTO[1]}.",
        ALL, flags="-k --components", defaults={"impute": "auto", "fit": "auto"},
        helps={"compare": "Number of classes."},
    )  # fmt: skip
    criterion: str = declared(
        Choice(choices.CRITERIA), "auto", MODEL,
        "Criterion that chooses the number of components from a range.", SEARCHING,
        defaults={"impute": "bic", "fit": "bic"},
    )  # fmt: skip
    features: str = declared(
        Features(), "auto", MODEL,
        f"What pixels are compared by: one or several of {', '.join(FEATURES)}, separated by commas, each with "
        "an optional weight, as lab,xy:0.5. auto: lab for colour, else gray or bands; texture where only texture tells "
        "parts apart.", IMAGES,
    )  # fmt: skip
    family: str = declared(
        Choice(choices.FAMILIES, "NAME"), "gaussian", MODEL,
        "Kind of the components.", ALL,
    )  # fmt: skip
    covariance: str = declared(
        Choice(choices.COVARIANCES, "NAME"), "full", MODEL,
        "Shape of the components.", ALL,
    )  # fmt: skip
    dof: float | str = declared(
        Number("a number above 0", ("each", "common"), positive), "each", MODEL,
        f"Degrees of freedom of {spelled('family', 'student')}; few give heavy tails. A number, or estimated: each "
        "component's own, or one common to all.", ALL,
    )  # fmt: skip
    noise: bool = declared(
        Flag(), False, MODEL, "Add a component of uniform density for outliers; its label is K + 1.", FITTED,
    )  # fmt: skip
    floor: float | str = declared(
        Number("a number from 0 to below 1", ("auto",), below_one), "auto", MODEL,
        "Smallest variance of a component, relative to that of the whole image; auto: what rounding of values leaves.",
        ALL, defaults={"impute": 1e-4},  # what a component knows of a few rows must not count as certain
    )  # fmt: skip
    missing: str = declared(
        Choice(choices.MISSING), "drop", PIXELS,
        "What becomes of pixels of which some channels are unknown: NaN, values for no data, or 0 in a mask with as "
        "many channels.",
        "segment compare apply",
    )  # fmt: skip
    nodata: tuple[float, ...] = nodata("segment compare apply impute")
    mask_above: float | None = mask_above("segment compare apply")
    grow: int = grow("segment compare apply")
    censored: str = declared(
        Limits(), "", PIXELS,
        "Stored values up to LO and from HI on are bounds, as 0 and 255 are in badly exposed photographs. LO or HI may "
        f"be left out. {_LIMITED}", FITTED,
    )  # fmt: skip
    truncated: str = declared(
        Limits(), "", PIXELS,
        "Pixels with stored values below LO or above HI were never recorded. LO or HI may be left out. " + _LIMITED,
        FITTED,
    )  # fmt: skip
    denoise: float | str = declared(
        Number("a number of 0 or more", ("auto", "off"), not_negative, metavar="auto|off|S"), "off", PIXELS,
        "Remove noise of standard deviation S from the image first; auto: as much as is found.", SEGMENT,
    )  # fmt: skip
    bias_field: bool = declared(
        Flag(), False, PIXELS,
        "Estimate uneven illumination (vignetting, inhomogeneity), and remove it first.", SEGMENT,
    )  # fmt: skip
    partial_volume: bool = declared(
        Flag(), False, PIXELS,
        "Let a pixel mix a class and the next brighter one; its label is the class that fills most of it.", FITTED,
    )  # fmt: skip
    stray: str = declared(
        Choice(choices.STRAY), "auto", PIXELS,
        "Whether stray pixels count in the fit: mixed ones at edges of flat colours, single ones far from all others.",
        SEGMENT,
    )  # fmt: skip
    algorithm: str = declared(
        Choice(choices.ALGORITHMS, "NAME"), "anderson", FIT,
        "Variant of EM that fits the mixture.", SEARCHING,
    )  # fmt: skip
    base: str = declared(
        Choice(("", *choices.ALGORITHMS), "NAME"), "", FIT,
        "Algorithm that an accelerator accelerates, by its name; classic EM unless given.", SEARCHING,
    )  # fmt: skip
    option: Mapping[str, str] = declared(
        Settings(), {}, FIT, "A setting of the algorithm; may be repeated.", SEARCHING,
    )  # fmt: skip
    init: str = declared(
        Path(choices.INITS, models=True), "auto", FIT,
        "Where the fit starts; FILE is a saved model or a label map.", SEARCHING,
    )  # fmt: skip
    restarts: int = declared(
        Whole(), 0, FIT, "Number of starts, of which the best is followed; 0: as many as make sense.", SEARCHING,
    )  # fmt: skip
    seed: int = declared(
        Whole(), 0, FIT, "Seed of all random numbers: the same seed gives the same result.", ALL,
    )  # fmt: skip
    tol: float = declared(
        Number("a number of 0 or more", inside=not_negative), 1e-5, FIT,
        "Stop when the log-likelihood per pixel is estimated to be within X nats of its limit.",
        ALL, defaults={"compare": 1e-8, "impute": 1e-7, "fit": 1e-7},  # traces show how all end; a table is small
    )  # fmt: skip
    max_iter: int = declared(
        Whole(1), 1000, FIT, "Stop after N iterations at the latest.", ALL, defaults={"compare": 500},
    )  # fmt: skip
    compress: bool = declared(
        Flag(), True, FIT,
        "Fit distinct feature vectors with their counts instead of every pixel: the same result, faster.",
        IMAGES, flags="",
    )  # fmt: skip
    mrf: str = declared(
        Choice(choices.FIELDS), "default", FIELD,
        "Make the labels of neighbours agree, by a Markov random field that is fitted together with the mixture.",
        SEGMENT,
    )  # fmt: skip
    beta: float | str = declared(
        Number("a number of 0 or more, up to 1e6", ("auto",), field_strength), "auto", FIELD,
        "Strength of the field; auto: estimated from the image.", SEGMENT,
    )  # fmt: skip
    neighbours: str = declared(
        Choice(choices.NEIGHBOURS, given="int | str"), "auto", FIELD,
        "Number of neighbours of a pixel in the field; auto: those that share a side; 6, 18 and 26 are for volumes.",
        SEGMENT,
    )  # fmt: skip
    contrast: bool = declared(
        Flag(), False, FIELD, "Loosen the field between neighbours that differ much.", SEGMENT,
    )  # fmt: skip
    scribbles: str = declared(
        Path(), "", FIELD,
        "Label map of the image's size: its pixels that are not 0 keep their label, and the classes start from them.",
        SEGMENT,
    )  # fmt: skip
    box: str = declared(
        Box(), "", FIELD,
        "Rectangle around an object, in pixels: left, top, width, height. Outside it, everything is class 1; within, "
        "the object is class 2.", SEGMENT,
    )  # fmt: skip
    prior_map: str = declared(
        Path(), "", FIELD,
        "How probable each class is at each pixel beforehand: TIFF with a page for each, 4-D NIfTI, or a NumPy file.",
        SEGMENT,
    )  # fmt: skip
    regions: int | str = declared(
        Number("a whole number of pixels, 0 or more", ("auto",), not_negative, whole=True, metavar="N"), 0, REGIONS,
        "Find connected regions of at least N pixels, too, and write a map and a table of them. 0: do not; auto: of a "
        "size that the image suggests, merged while that shortens the image's description.", "segment apply",
    )  # fmt: skip
    merge: float | str = declared(
        Number("a number of 0 or more", ("auto", "default"), not_negative), "default", REGIONS,
        "How readily adjacent regions that look alike are merged. 0: only small ones; auto: as long as that shortens "
        f"the image's description; default: auto with {spelled('regions', 'auto')}, else 0.", "segment apply",
    )  # fmt: skip
    foreground: str = declared(
        ClassGroups(), "default", REGIONS,
        "Classes that are objects; the others are the ground, which has no region. 2,3+4: objects of class 2, and of "
        f"classes 3 and 4 together. auto: {WORDS['auto']}; all: {WORDS['all']}; default: {WORDS['default']}.",
        "segment apply",
    )  # fmt: skip
    split: bool = declared(
        Flag(), False, REGIONS, "Cut objects that touch, where they are narrow. Finds regions, too.", "segment apply",
    )  # fmt: skip
    neck: float = declared(
        Number("a number between 0 and 1, as 0.85", inside=inside_one), 0.85, REGIONS,
        f"Cut where objects are less than X times as wide as the narrower part. Goes with {spelled('split', True)}.",
        "segment apply",
    )  # fmt: skip

    @property
    def k_range(self) -> tuple[int, int]:
        """Smallest and largest number of components."""
        return k_range(self.k)

    @property
    def marked(self) -> bool:
        """Whether some pixels are marked."""
        return bool(self.scribbles or self.box)

    @property
    def field(self) -> str:
        """What `mrf` stands for: ``"marked"``, ``"none"`` or a method of inference."""
        plain = self.family == "gaussian" and not (self.censored or self.partial_volume)
        return self.mrf if self.mrf != "default" else "marked" if self.marked and plain else "none"

    @property
    def objects(self) -> str:
        """Classes that are objects; ``"all"`` where regions cover the image."""
        return self.foreground if self.foreground != "default" else "auto" if self.split else "all"

    @property
    def finds_regions(self) -> bool:
        """Whether connected regions are wanted."""
        return bool(self.regions) or self.split or self.foreground != "default"

    @property
    def shortest(self) -> bool:
        """Whether regions are those of the shortest description."""
        whole = bool(self.regions) and self.objects == "all" and not self.split
        return whole and (self.merge if self.merge != "default" else self.regions) == "auto"

    @property
    def searches(self) -> bool:
        """Whether emseg looks for a start itself."""
        return self.init in choices.INITS


class CompareOptions:
    """Options that only `emseg.compare` has."""

    algorithms: tuple[str, ...] = declared(
        Names(choices.ALGORITHMS), (), COMPARISON,
        "Variants of EM to compare, separated by commas; all of them unless given.", "compare",
        recorded=False,  # the report has an entry for each of them
    )  # fmt: skip
    start: str = declared(
        Choice(choices.STARTS), "kmeans++", COMPARISON, "Where all algorithms start.", "compare",
    )  # fmt: skip


class ImputeOptions:
    """Options that only `emseg.impute` has."""

    level: float = declared(
        Number("a number between 0 and 1, as 0.9", inside=inside_one), 0.9, MODEL,
        "Probability of the intervals.", "impute",
    )  # fmt: skip


DECLARATIONS = (MaskOptions, ImputeMaskOptions, SegmentOptions, CompareOptions, ImputeOptions)
