"""Reading images: formats, orientation, transparency, limits, and one clear line for every bad input."""

from emseg.errors import shown
from emseg.image.model import Image
from emseg.image.read import decode_image, read_image, read_mask

__all__ = ["Image", "decode_image", "read_image", "read_mask", "shown"]
