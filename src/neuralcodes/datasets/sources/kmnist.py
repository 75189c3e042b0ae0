"""Kuzushiji-MNIST: 70,000 handwritten Japanese letters, in MNIST's format."""

from neuralcodes.datasets.sources.torchvision_files import idx_source

SOURCE = idx_source("kmnist", "KMNIST", "Kuzushiji-MNIST", training_examples=60_000)
