"""Covariance models: what the K covariance matrices of a Gaussian mixture may share."""
