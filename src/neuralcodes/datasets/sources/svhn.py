"""SVHN: 99,289 colour images of house numbers, 32 x 32 pixels."""

from neuralcodes.datasets.sources.torchvision_files import svhn_source

SOURCE = svhn_source("svhn", "SVHN", "SVHN", training_examples=73_257)
