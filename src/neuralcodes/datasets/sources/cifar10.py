"""CIFAR-10: 60,000 colour images of 32 x 32 pixels in ten classes."""

from neuralcodes.datasets.sources.torchvision_files import cifar_source

SOURCE = cifar_source("cifar10", "CIFAR10", "CIFAR-10", training_examples=50_000)
