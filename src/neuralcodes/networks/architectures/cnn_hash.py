"""Hash networks of images: convolutions, a hash layer, a classifier."""

from typing import TYPE_CHECKING

from neuralcodes.networks.architectures.hash import HashNetwork

if TYPE_CHECKING:
    from neuralcodes.networks.hashnetworks import HashEnsemble
    from neuralcodes.networks.training.batches import StepData


class ConvolutionalHashNetwork(HashNetwork):
    """Three convolutions below the hash layer; inputs are standardised by their own moments."""

    name = "cnn"
    keys = frozenset({"network", "hash_width", "hash_activation"})

    def prepare(self, ensemble: "HashEnsemble", data: "StepData") -> None:
        """See `Architecture`: the moments of each seed's training inputs."""
        for name, value in zip(("mean", "deviation"), data.moments(), strict=True):
            ensemble.parameters[f"input.{name}"].copy_(value)


CNN_HASH = ConvolutionalHashNetwork()
