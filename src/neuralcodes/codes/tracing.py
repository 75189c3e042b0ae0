"""Watch a network run and record the signs of its ReLU-like activations.

An activation counts where its output has the sign of its input or is 0 below it: relu, relu6,
leaky_relu, prelu, rrelu, elu, celu, selu, gelu, silu, mish, hardswish, threshold at 0 to 0, clamp
and hardtanh from 0; its bit is 1 where the output is above 0. The absolute value counts with the
sign of its input. Activations are seen when they are called, so it does not matter whether they
are modules (torch.nn.ReLU), functions (torch.relu) or methods (x.relu()). Not seen: arithmetic of
one's own such as x * (x > 0), and what runs inside TorchScript.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Self, TypeGuard

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

SIGN_OF_OUTPUT = frozenset(
    {"relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "celu", "selu", "gelu", "silu"}
    | {"mish", "hardswish"}
)
SIGN_OF_INPUT = frozenset({"abs", "absolute"})
FLOORED = frozenset({"clamp", "clip", "clamp_min", "threshold", "hardtanh"})


def record(
    model: torch.nn.Module, inputs: np.ndarray | torch.Tensor, batch_size: int
) -> tuple[list[tuple[str, int]], np.ndarray]:
    """Run a network batch by batch in evaluation mode, without gradients.

    Args:
        model: any network called with one tensor whose first axis is the examples; each of its
            modules is put back into its own mode at the end, also after an error.
        inputs: shape (examples, ...); floats are converted to the network's precision.
        batch_size: examples per batch.

    Returns:
        The activations in order of execution as (name, units), a repeated name with ":2", ":3",
        ... behind; and their packed signs, uint8 (examples, ceil(units of all / 8)).

    Raises:
        ValueError: there is no example, `batch_size` is not positive, no activation runs, or the
            activations differ between batches.
    """
    if batch_size < 1 or len(inputs) == 0:
        raise ValueError(
            f"need one or more inputs and a positive batch_size; got inputs of shape "
            f"{tuple(inputs.shape)} and batch_size {batch_size}"
        )
    like = example_parameter(model)
    layers: list[tuple[str, int]] = []
    packed = []
    with evaluating(model), torch.no_grad():
        for start in range(0, len(inputs), batch_size):
            batch = batch_of(inputs[start : start + batch_size], like)
            with Recorder(model, len(batch)) as recorder:
                model(batch)
            if layers and recorder.layers() != layers:
                raise ValueError(
                    f"the activations differ between batches: {layers}, then {recorder.layers()}. "
                    "A code needs the same units for every input; remove the branch that depends "
                    "on the data."
                )
            layers = recorder.layers()
            packed.append(pack_tensor(torch.cat(recorder.signs, dim=1)).cpu().numpy())
    return layers, np.concatenate(packed)


def example_parameter(model: torch.nn.Module) -> torch.Tensor:
    """Give a parameter of the network's precision and device; a float on the CPU without one."""
    return next((p for p in model.parameters() if p.is_floating_point()), torch.empty(0))


def pack_tensor(bits: torch.Tensor) -> torch.Tensor:
    """Pack a bool tensor (..., units) on its device as `numpy.packbits` does, uint8."""
    padding = -bits.shape[-1] % 8
    padded = torch.nn.functional.pad(bits.to(torch.uint8), (0, padding))
    octets = padded.reshape(*bits.shape[:-1], padded.shape[-1] // 8, 8)
    values = 2 ** torch.arange(7, -1, -1, dtype=torch.uint8, device=bits.device)
    return (octets * values).sum(dim=-1, dtype=torch.uint8)


class Watch(TorchFunctionMode):
    """Sees every activation that a network applies to its examples; subclasses say what happens.

    Attributes:
        activations: names of functions that count whatever their arguments.
        running: names of the modules that run now, the outermost ("") first.
    """

    activations = SIGN_OF_OUTPUT | SIGN_OF_INPUT

    def __init__(self, model: torch.nn.Module, examples: int) -> None:
        """Get ready to watch one call.

        Args:
            model: its modules give the activations their names.
            examples: size of the batch that it will be called with.
        """
        super().__init__()
        self.running: list[str] = []
        self._examples = examples
        self._hooks = ExitStack()
        self._model = model

    def __enter__(self) -> Self:
        for name, module in self._model.named_modules():
            enter = module.register_forward_pre_hook(self._enter(name))
            leave = module.register_forward_hook(self._leave)
            self._hooks.callback(enter.remove)
            self._hooks.callback(leave.remove)
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        self._hooks.close()
        super().__exit__(*error)

    def __torch_function__(
        self,
        function: Callable,
        types: object,
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> object:
        """Call the function, or let `on_activation` do so where it is one."""
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "").strip("_")
        counts = name in self.activations or (name in FLOORED and _floor(name, args, kwargs) == 0)
        values = args[0] if args else kwargs.get("input")
        if not counts or not self._of_batch(values):
            return function(*args, **kwargs)

        def call(inputs: torch.Tensor) -> torch.Tensor:
            if args:
                return function(inputs, *args[1:], **kwargs)
            return function(**{**kwargs, "input": inputs})

        return self.on_activation(name, call, values)

    def on_activation(
        self, name: str, call: Callable[[torch.Tensor], torch.Tensor], values: torch.Tensor
    ) -> torch.Tensor:
        """Stand in for one activation; to be overridden.

        Args:
            name: of the function, without underscores.
            call: applies it to other values; it may overwrite them.
            values: what the network applies it to, (examples, ...).
        """
        del name
        return call(values)

    def on_leave(self, name: str) -> None:
        """Hear that a module has run; to be overridden where it matters."""

    def _of_batch(self, values: object) -> TypeGuard[torch.Tensor]:
        """Whether values belong to the examples rather than to the weights."""
        return (
            isinstance(values, torch.Tensor)
            and not isinstance(values, torch.nn.Parameter)
            and values.is_floating_point()
            and values.dim() > 1
            and len(values) == self._examples
        )

    def _enter(self, name: str) -> Callable[..., None]:
        def hook(*_: object) -> None:
            self.running.append(name)

        return hook

    def _leave(self, *_: object) -> None:
        self.on_leave(self.running.pop())


class Recorder(Watch):
    """Keeps the signs of activations."""

    def __init__(self, model: torch.nn.Module, examples: int) -> None:
        super().__init__(model, examples)
        self.names: list[str] = []
        self.signs: list[torch.Tensor] = []

    def on_activation(
        self, name: str, call: Callable[[torch.Tensor], torch.Tensor], values: torch.Tensor
    ) -> torch.Tensor:
        """Keep the signs of its output, or of its input where its output has no sign."""
        # before the call, which may overwrite its input
        kept = values > 0 if name in SIGN_OF_INPUT else None
        result = call(values)
        self.names.append((self.running[-1:] or [""])[0] or name)
        self.signs.append((result > 0 if kept is None else kept).flatten(1))
        return result

    def layers(self) -> list[tuple[str, int]]:
        """Names and units of the batch's activations.

        Raises:
            ValueError: there are none.
        """
        if not self.names:
            raise ValueError(
                f"{type(self._model).__name__} ran without any activation that has a code; looked "
                f"for {', '.join(sorted(SIGN_OF_OUTPUT | SIGN_OF_INPUT))}, and clamp, hardtanh or "
                "threshold from 0, as module, function or method. Use one of them."
            )
        calls = [self.names[: index + 1].count(name) for index, name in enumerate(self.names)]
        names = [f"{n}:{c}" if c > 1 else n for n, c in zip(self.names, calls, strict=True)]
        return [(name, signs.shape[1]) for name, signs in zip(names, self.signs, strict=True)]


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and each of its modules back at the end."""
    training = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in training:
            module.training = mode


def batch_of(inputs: np.ndarray | torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Bring inputs to the device, and floats to the precision, of another tensor."""
    # The copy is writable and contiguous, as torch wants it; memory-mapped inputs are neither.
    batch = inputs if isinstance(inputs, torch.Tensor) else torch.from_numpy(np.array(inputs))
    # A tensor of the user's is copied too: an activation that works in place would change it.
    dtype = like.dtype if batch.is_floating_point() else None
    return batch.to(like.device, dtype, copy=batch is inputs)


def _floor(name: str, args: tuple, kwargs: dict) -> object:
    """The value below which nothing passes; None where there is no such."""
    if name == "threshold":
        threshold = _argument(args, kwargs, 1, "threshold")
        return threshold if threshold == _argument(args, kwargs, 2, "value") else None
    floor = _argument(args, kwargs, 1, "min_val" if name == "hardtanh" else "min")
    return float(floor) if isinstance(floor, torch.Tensor) and floor.dim() == 0 else floor


def _argument(args: tuple, kwargs: dict, position: int, name: str) -> object:
    return args[position] if len(args) > position else kwargs.get(name)
