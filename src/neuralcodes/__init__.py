"""What a trained network computes: neural codes, distance metrics and hash functions."""

__version__ = "0.1.0"
