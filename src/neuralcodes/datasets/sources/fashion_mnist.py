"""Fashion-MNIST: 70,000 images of clothes, in MNIST's format."""

from neuralcodes.datasets.sources.torchvision_files import idx_source

SOURCE = idx_source("fashion_mnist", "FashionMNIST", "Fashion-MNIST", training_examples=60_000)
