"""The same job with OpenCV's `ml.EM`, as a script: IMAGE OUTPUT. Prints CPU seconds by stage as JSON. RGB only."""

import json
import sys
import time

import cv2
import numpy as np

source, output = sys.argv[1:]
cv2.setNumThreads(1)
laps = {"import": time.process_time()}


def lap(stage: str) -> None:
    """End a stage."""
    laps[stage] = time.process_time() - sum(laps.values())


pixels = cv2.imread(source)
samples = pixels.reshape(-1, 3).astype(np.float64)
lap("load")
model = cv2.ml.EM_create()
model.setClustersNumber(4)
model.setCovarianceMatrixType(cv2.ml.EM_COV_MAT_GENERIC)
_, log_likelihood, labels, _ = model.trainEM(samples)
lap("fit")  # its training labels the samples too
cv2.imwrite(output, (labels + 1).astype(np.uint8).reshape(pixels.shape[:2]))
lap("write")
print(json.dumps({**laps, "log_likelihood": float(np.mean(log_likelihood))}))
