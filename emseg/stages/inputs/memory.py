"""How much memory a segmentation takes besides the stored pixels, from its options and the header of an image.

The numbers are bytes a pixel: upper bounds of peaks that were measured on images of 0.3 to 2 megapixels with 4 and 8
classes K, D features, 8 and 16 bits. Here is what the formula gives, and in brackets what was measured:

    plain, few distinct values      24   (3 to 10)      field, tiles, K = 4, D = 3     124   (85)
    plain, D = 3, all distinct     136   (60 to 135)    field, tiles, K = 8, D = 3     204   (160)
    texture, D = 3                 136   (106)          field with contrast, K = 4     172   (127)
    regions, K = 4                 238   (130 to 235)   field, whole, K = 4, D = 3     254   (179 to 200)
    regions, K = 8                 342   (257)          field, whole, K = 8, D = 3     354   (300)
    regions, K = 4, all distinct   350   (178 to 193)   field, all distinct, K = 4     366   (235)
    denoised, for each channel      60   (33 to 55)     mixed pixels, K = 3, few        48   (21)
    graph cut, tiles, K = 4        574   (528)          graph cut, whole, K = 4        704   (578)
"""

from __future__ import annotations

from emseg.features.registry import DEFAULT, FEATURES, feature_of
from emseg.features.specification import parse_spec
from emseg.image.limits import table_of
from emseg.records import NamedRecord

#: A fit to few distinct values: the index of each pixel, its code and its label, with room for one sort.
FEW = 24
#: A fit to many distinct values: for each pixel, and for each of its features.
MANY, FEATURE = 64, 24
#: A field that is fitted to all pixels: for each pixel, class and feature. Shares, log-densities and what is summed.
WHOLE, WHOLE_CLASS, WHOLE_FEATURE = 40, 25, 30
#: A field that is fitted to tiles, and then labels all pixels.
TILES, TILES_CLASS = 20, 20
#: Cuts around marked objects: copies at smaller sizes, labels, what each class costs and its probability.
MARKED, MARKED_CLASS, MARKED_FEATURE = 60, 20, 28
#: Edges of a field that look at contrast, for each feature.
CONTRAST_FEATURE = 16
#: Connected regions: the scene, the graph, and the posterior of each class.
REGIONS, REGIONS_CLASS = 110, 26
#: Mixed pixels: what is held of each class; and of all distinct values, the shares for each pair of classes.
MIXED_CLASS, MIXED_PAIR = 8, 4
#: Denoising, of white noise or of photons, in one round or several: for each channel (33 to 55 measured), and what does
#: not grow with the image; filling likewise.
DENOISED_CHANNEL, DENOISED, FILLED = 60, 48_000_000, 80_000_000
#: What does not grow with the image, in bytes, and for each pixel where there are few: searches for a number of
#: components and for a gain go by a sample (50 to 62 MB measured from 0.09 megapixels on); so does what is restored.
SAMPLE, SAMPLE_PIXEL = 56_000_000, 700
#: Files with numbers for each class: written from what each pixel has, for each class, and from each value of three
#: bytes, where they are the same for equal values.
PLANES, PLANES_CLASS, PLANES_VALUE, PLANES_VALUES = 20, 6, 130, 45_000_000
#: Outlines of classes whose labels change from pixel to pixel.
OUTLINES = 180
#: Kinds of `emseg.output.registry.KINDS` that are such files.
OF_CLASSES, OF_OUTLINES = (
    frozenset({"posterior", "entropy", "fractions"}),
    frozenset({"geojson", "geojson-wgs84", "coco"}),
)


class WorkingMemory(NamedRecord):
    """What a segmentation is to do, as far as its memory depends on it.

    Attributes
    ----------
    classes : int
        The largest number of components.
    features : str
        Specification, see `emseg.features.specification.parse_spec`.
    compress : bool
        Whether equal values are one sample.
    field : str
        A key of `emseg.mrf.inference.registry.METHODS`, ``"marked"`` or ``"none"``.
    contrast, regions, partial_volume, denoise, search : bool
        Whether edges look at contrast, regions are looked for, pixels may be mixed, noise is taken out first, and a
        number of components or a gain is searched for.
    saves : tuple of str
        Kinds of results that will be written.
    """

    classes: int
    features: str = "auto"
    compress: bool = True
    field: str = "none"
    contrast: bool = False
    regions: bool = False
    partial_volume: bool = False
    denoise: bool = False
    search: bool = False
    saves: tuple[str, ...] = ()

    def bytes_per_pixel(self, pixels: int, channels: int, itemsize: int) -> int:
        """Bytes a pixel besides the stored values, an upper bound.

        Parameters
        ----------
        pixels : int
            Width × height.
        channels, itemsize : int
            Of a pixel; and bytes of a channel.
        """
        k = self.classes
        measured = [feature_of(name) for name in self._names(channels)]
        d = sum(len(feature.names) or channels for feature in measured)
        # As many bits as a table of all values may have:
        few = self.compress and itemsize * channels <= 3 and all(feature.repeats for feature in measured)
        need = FEW if few else MANY + FEATURE * d
        if self.field != "none":
            need += self._field(pixels, d)
        if self.regions:
            need += REGIONS + REGIONS_CLASS * k
        if self.partial_volume:
            need += MIXED_CLASS * k + (0 if few else MIXED_PAIR * k**2)
        need += table_of(pixels, channels, itemsize)
        if self.search:
            need += min(SAMPLE_PIXEL, SAMPLE // pixels)
        need = max(need, self._saved(pixels, channels * itemsize))
        return max(need, Restoring().bytes_per_pixel(pixels, channels, itemsize)) if self.denoise else need

    def _saved(self, pixels: int, bytes_of_pixel: int) -> int:
        """What writing takes."""
        if not OF_OUTLINES.isdisjoint(self.saves):
            return OUTLINES
        if OF_CLASSES.isdisjoint(self.saves):
            return 0
        of_values = min(PLANES_VALUE, PLANES_VALUES // pixels) if bytes_of_pixel == 3 else 0
        return PLANES + PLANES_CLASS * self.classes + of_values

    def _names(self, channels: int) -> list[str]:
        """Features by name; of ``"auto"``, what such an image mostly has."""
        names = list(parse_spec(self.features))
        default = DEFAULT["rgb" if channels == 3 else "gray" if channels == 1 else "bands"]
        return [name if name in FEATURES else default for name in names]

    def _field(self, pixels: int, d: int) -> int:
        """What a field adds."""
        if self.field == "marked":
            return MARKED + MARKED_CLASS * self.classes + MARKED_FEATURE * d
        from emseg.mrf.inference.registry import inference

        method = inference(self.field)
        more = method.extra_bytes + (CONTRAST_FEATURE * d if self.contrast else 0)
        if pixels > method.largest_whole:
            return TILES + TILES_CLASS * self.classes + more
        return WHOLE + WHOLE_CLASS * self.classes + WHOLE_FEATURE * d + more


class Restoring(NamedRecord):
    """What `denoise` and `inpaint` do, as far as their memory depends on it.

    Attributes
    ----------
    fills : bool
        Whether pixels are filled.
    """

    fills: bool = False

    def bytes_per_pixel(self, pixels: int, channels: int, itemsize: int) -> int:
        """Bytes a pixel besides the stored values, an upper bound; see `WorkingMemory.bytes_per_pixel`."""
        return DENOISED_CHANNEL * channels + min(SAMPLE_PIXEL, (FILLED if self.fills else DENOISED) // pixels)
