"""What an architecture declares, and one that is nothing but a torch module."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run

if TYPE_CHECKING:
    import torch

    from neuralcodes.networks.ensembles import Ensemble
    from neuralcodes.networks.training.batches import StepData
    from neuralcodes.networks.training.steps import Bound, Steps
    from neuralcodes.networks.training.trainingdata import TrainingData

Shape = Any  # a frozen dataclass of JSON-ready fields, each architecture's own


class Architecture(ABC):
    """A kind of network. What needs torch is imported in functions: configurations read names.

    Attributes:
        name: value of the recipe's key `architecture`, small letters and underscores.
        keys: of a recipe, those that this architecture reads.
        affine: whether every layer is one affine map, given by the ensemble's `affine_layers`.
    """

    name: str
    keys: frozenset[str]
    affine: bool = False

    @abstractmethod
    def shape_of(self, run: Run | HashRun, inputs: tuple[int, ...], classes: int) -> Shape:
        """Give the shape of a run's networks: what decides all of a member but its numbers.

        Args:
            run: the run.
            inputs: of an example: (features,), (height, width) or (height, width, channels).
            classes: number of classes.

        Returns:
            A frozen dataclass, whose fields go into model files as JSON.
        """

    @abstractmethod
    def shape_from(self, fields: dict[str, Any]) -> Shape:
        """Make a shape of what a model file says.

        Args:
            fields: name -> value, a tuple where the file has a list.

        Raises:
            TypeError: these are not its fields.
        """

    @abstractmethod
    def ensemble(self, shape: Shape, parameters: "dict[str, torch.Tensor]") -> "Ensemble":
        """Make an ensemble of given parameters.

        Args:
            shape: of each member.
            parameters: name -> tensor with a leading seed axis.
        """

    @abstractmethod
    def initialise(
        self,
        shape: Shape,
        seeds: Sequence[int],
        run: Run | HashRun | None = None,
        device: "torch.device | str" = "cpu",
    ) -> "Ensemble":
        """Make an untrained ensemble; a member depends on its own seed alone.

        Args:
            shape: of each member.
            seeds: one per member.
            run: may say how to draw the numbers; None where only their sizes matter.
            device: where the parameters go; the numbers are drawn on the CPU.
        """

    def prepare(self, ensemble: "Ensemble", data: "TrainingData | StepData") -> None:
        """Set what an untrained ensemble knows of its training data; most know nothing.

        Args:
            ensemble: untrained, changed in place.
            data: what it will be trained on.
        """
        del ensemble, data

    def steps(self, bound: "Bound", lean: bool) -> "Steps":
        """Give what takes the steps of a training: by autograd, where nothing faster is written.

        Args:
            bound: what to take them with.
            lean: take them as suits a GPU.
        """
        from neuralcodes.networks.training.autograd import Autograd

        return Autograd(bound, lean)


@dataclass(frozen=True)
class ModuleShape:
    """Shape of a member that is a torch module.

    Attributes:
        network: name of its architecture.
        inputs: as in `Architecture.shape_of`.
        classes: number of classes.
        settings: the recipe's keys that it reads, with their values.
    """

    network: str
    inputs: tuple[int, ...]
    classes: int
    settings: dict[str, Any]


class ModuleArchitecture(Architecture):
    """An architecture that is one function: recipe -> torch module."""

    @abstractmethod
    def module(
        self, inputs: tuple[int, ...], classes: int, settings: dict[str, Any]
    ) -> "torch.nn.Sequential":
        """Build one network, its parameters drawn from torch's own generator.

        Args:
            inputs: (features,) or (channels, height, width): of an example that it takes.
            classes: logits that it gives.
            settings: the recipe's keys that it reads, with their values.
        """

    def shape_of(self, run: Run | HashRun, inputs: tuple[int, ...], classes: int) -> ModuleShape:
        """See `Architecture`."""
        settings = {key: getattr(run, key) for key in sorted(self.keys)}
        return ModuleShape(self.name, tuple(inputs), classes, settings)

    def shape_from(self, fields: dict[str, Any]) -> ModuleShape:
        """See `Architecture`."""
        return ModuleShape(**fields)

    def ensemble(self, shape: ModuleShape, parameters: "dict[str, torch.Tensor]") -> "Ensemble":
        """See `Architecture`."""
        from neuralcodes.networks.modules import Modules

        return Modules(shape, parameters, self.module)

    def initialise(
        self,
        shape: ModuleShape,
        seeds: Sequence[int],
        run: Run | HashRun | None = None,
        device: "torch.device | str" = "cpu",
    ) -> "Ensemble":
        """See `Architecture`."""
        from neuralcodes.networks import modules

        del run
        return self.ensemble(shape, modules.initial(shape, seeds, self.module, device))
