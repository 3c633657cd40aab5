"""How much memory a segmentation takes besides the stored pixels, from its options and the header of an image.

The numbers are bytes a pixel: upper bounds of peaks that were measured on images of 0.3 to 2 megapixels with 4 and 8
classes K, D features, 8 and 16 bits. Here is what the formula gives, and in brackets what was measured:

    plain, few distinct values      24   (3 to 10)      field, tiles, K = 4, D = 3     124   (85)
    plain, D = 3, all distinct     120   (60 to 96)     field, tiles, K = 8, D = 3     204   (160)
    texture, D = 3                 120   (106)          field with contrast, K = 4     172   (127)
    regions, K = 4                 238   (130 to 235)   field, whole, K = 4, D = 3     254   (179 to 200)
    regions, K = 8                 342   (257)          field, whole, K = 8, D = 3     354   (300)
    regions, K = 4, all distinct   334   (178 to 193)   field, all distinct, K = 4     350   (235)
    denoised first, grey           180   (171)          mixed pixels, K = 3, few        48   (21)
    graph cut, tiles, K = 4        574   (528)          graph cut, whole, K = 4        704   (578)
"""

from __future__ import annotations

from emseg.features.registry import DEFAULT, FEATURES, feature_of
from emseg.features.specification import parse_spec
from emseg.records import NamedRecord

#: A fit to few distinct values: the index of each pixel, its code and its label, with room for one sort.
FEW = 24
#: A fit to many distinct values: for each pixel, and for each of its features.
MANY, FEATURE = 48, 24
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
#: Denoising, for each channel.
DENOISED_CHANNEL = 180


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
    contrast, regions, partial_volume, denoise : bool
        Whether edges look at contrast, regions are looked for, pixels may be mixed, and noise is taken out first.
    """

    classes: int
    features: str = "auto"
    compress: bool = True
    field: str = "none"
    contrast: bool = False
    regions: bool = False
    partial_volume: bool = False
    denoise: bool = False

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
        return max(need, DENOISED_CHANNEL * channels) if self.denoise else need

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
