"""Denoising and inpainting: patches, noise level, patch mixtures, local Gaussians. Arrays in, arrays out."""
