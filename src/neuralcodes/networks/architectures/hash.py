"""Hash networks (Dikkala et al. 2021): random features, a hash layer, a classifier."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neuralcodes.networks.architectures.declaration import Architecture
from neuralcodes.studies.hashruns import HashRun

if TYPE_CHECKING:
    import torch

    from neuralcodes.networks.hashnetworks import HashEnsemble, HashShape


class HashNetwork(Architecture):
    """A representation layer under a classifier of manifolds."""

    name = "hash"
    keys = frozenset(
        {"network", "width", "hash_width", "hash_activation", "train_first_layer", "init_scale"}
    )

    def shape_of(self, run: HashRun, inputs: tuple[int, ...], classes: int) -> "HashShape":
        """See `Architecture`; images come as (channels, height, width)."""
        from neuralcodes.networks.hashnetworks import HashShape

        return HashShape(
            network=run.network,
            inputs=tuple(inputs),
            width=run.width,
            hash_width=run.hash_width,
            classes=classes,
            hash_activation=run.hash_activation,
        )

    def shape_from(self, fields: dict[str, Any]) -> "HashShape":
        """See `Architecture`."""
        from neuralcodes.networks.hashnetworks import HashShape

        return HashShape(**fields)

    def ensemble(self, shape: "HashShape", parameters: "dict[str, torch.Tensor]") -> "HashEnsemble":
        """See `Architecture`."""
        from neuralcodes.networks.hashnetworks import HashEnsemble

        return HashEnsemble(shape, parameters)

    def initialise(
        self,
        shape: "HashShape",
        seeds: Sequence[int],
        run: HashRun | None = None,
        device: "torch.device | str" = "cpu",
    ) -> "HashEnsemble":
        """See `Architecture`."""
        from neuralcodes.networks import hashnetworks

        scale = 1.0 if run is None else run.init_scale
        return hashnetworks.initialise(shape, seeds, scale, device)


HASH = HashNetwork()
