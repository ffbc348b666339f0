"""Coordination environments from X-ray absorption near-edge spectra."""

__version__ = "0.1.0"
