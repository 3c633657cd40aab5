"""What no segmentation of a file can avoid, as a script: IMAGE FOLDER. Decode, pack, encode a label map and an overlay.

The labels are four ranges of green, the overlay its 128 levels: about as costly to encode as real ones.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

source, folder = sys.argv[1:]
image = Image.open(source)
packed = np.frombuffer(image.tobytes("raw", "RGBX"), np.uint32).reshape(image.height, image.width)
green = (packed >> np.uint32(8)).astype(np.uint8)
RUN_LENGTHS, HUFFMAN = 3, 2  # zlib's fastest strategies for these two
for name, indices, strategy in (("labels", green >> 6, RUN_LENGTHS), ("overlay", green >> 1, HUFFMAN)):
    picture = Image.fromarray(indices)
    picture.putpalette(bytes(range(256)) * 3)
    picture.save(Path(folder, f"bare.{name}.png"), compress_level=1, compress_type=strategy)
