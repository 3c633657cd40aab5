"""Mixtures: family, covariance models, statistics, samples and seeds."""
