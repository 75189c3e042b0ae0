"""CIFAR-100: 60,000 colour images of 32 x 32 pixels in a hundred classes."""

from neuralcodes.datasets.sources.torchvision_files import cifar_source

SOURCE = cifar_source("cifar100", "CIFAR100", "CIFAR-100", training_examples=50_000)
