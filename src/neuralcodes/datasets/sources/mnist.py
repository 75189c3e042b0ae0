"""MNIST: 70,000 handwritten digits of 28 x 28 pixels."""

from neuralcodes.datasets.sources.torchvision_files import idx_source

SOURCE = idx_source("mnist", "MNIST", "MNIST", training_examples=60_000)
