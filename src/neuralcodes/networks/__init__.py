"""Architectures, ensembles of seeds, their training and their files."""
