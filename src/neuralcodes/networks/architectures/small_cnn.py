"""A small convolutional network: what an architecture of one's own looks like."""

from typing import TYPE_CHECKING, Any

from neuralcodes.networks.architectures.declaration import ModuleArchitecture

if TYPE_CHECKING:
    import torch

KERNEL, POOL = 3, 2


class SmallCNN(ModuleArchitecture):
    """`depth` x [3 x 3 convolution -> batch norm? -> activation -> dropout? -> pooling] -> dense.

    `width` counts channels: all of them, split evenly over the convolutions. Images are halved
    after each convolution, as long as they have two rows and columns.
    """

    name = "small_cnn"
    keys = frozenset(
        {"depth", "width", "activation", "batch_norm", "batch_norm_momentum", "batch_norm_epsilon"}
        | {"dropout"}
    )

    def module(
        self, inputs: tuple[int, ...], classes: int, settings: dict[str, Any]
    ) -> "torch.nn.Sequential":
        """See `ModuleArchitecture`.

        Raises:
            ValueError: the inputs are no images.
        """
        from torch import nn

        from neuralcodes.networks.perceptrons import activation_module

        if len(inputs) != 3:
            raise ValueError(f"{self.name} takes images (channels, height, width), not {inputs}")
        below, *size = inputs
        channels = settings["width"] // settings["depth"]
        layers: list[nn.Module] = []
        for _ in range(settings["depth"]):
            # batch norm takes a bias away again; Adam would scale its rounding error up
            bias = not settings["batch_norm"]
            layers.append(nn.Conv2d(below, channels, KERNEL, padding=KERNEL // 2, bias=bias))
            if settings["batch_norm"]:
                share = 1 - settings["batch_norm_momentum"]  # torch's sense: of the new batch
                layers.append(nn.BatchNorm2d(channels, settings["batch_norm_epsilon"], share))
            layers.append(activation_module(settings["activation"]))
            if settings["dropout"]:
                layers.append(nn.Dropout(settings["dropout"]))
            if min(size) >= POOL:
                layers.append(nn.MaxPool2d(POOL))
                size = [each // POOL for each in size]
            below = channels
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(below * size[0] * size[1], classes))


SMALL_CNN = SmallCNN()
