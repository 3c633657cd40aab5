"""The version of emseg, in the one place that the package and its build read it."""

__version__ = "0.1.0"
