"""Speed, memory and likelihood, measured against scikit-learn and OpenCV: `make bench`."""
