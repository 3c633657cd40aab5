"""The same job with scikit-learn, as a script: IMAGE FEATURES INIT OUTPUT. Prints CPU seconds by stage as JSON.

`fit` and `predict` are called one after the other, as its documentation does. The likelihood it prints is the one of
its last E-step, which costs nothing extra.
"""

import json
import sys
import time
import warnings

import numpy as np
from PIL import Image
from sklearn.mixture import GaussianMixture

source, features, init, output = sys.argv[1:]
if features == "lab":
    from skimage.color import rgb2lab
laps = {"import": time.process_time()}


def lap(stage: str) -> None:
    """End a stage."""
    laps[stage] = time.process_time() - sum(laps.values())


pixels = np.asarray(Image.open(source).convert("RGB"))
samples = (rgb2lab(pixels) if features == "lab" else pixels.astype(float)).reshape(-1, 3)
lap("load")
warnings.simplefilter("ignore")  # that 100 iterations were not enough
mixture = GaussianMixture(4, init_params=init, random_state=0).fit(samples)
lap("fit")
labels = mixture.predict(samples)
lap("predict")
Image.fromarray((labels + 1).astype(np.uint8).reshape(pixels.shape[:2])).save(output)
lap("write")
print(json.dumps({**laps, "iterations": mixture.n_iter_, "log_likelihood": float(mixture.lower_bound_)}))
