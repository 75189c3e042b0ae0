"""Matrix products of an ensemble, one per seed, by the faster of torch's two CPU libraries."""

import torch

# torch hands float32 products to MKL, which keeps to narrower vectors on some processors; oneDNN,
# which torch ships as well, reaches twice its speed there. Per call it costs more, so that small
# products stay with MKL, and so does anything that shares its operations among threads.
WORTHWHILE = 1_000_000  # multiplications of one seed's product


def product(
    left: torch.Tensor, right: torch.Tensor, out: torch.Tensor | None = None
) -> torch.Tensor:
    """Multiply matrices seed by seed.

    Args:
        left: float (S, n, k).
        right: float (S, k, m); transposed views cost nothing.
        out: (S, n, m), overwritten; None makes a new tensor.

    Returns:
        (S, n, m).
    """
    made = product_by_seed(left, right, out)
    if isinstance(made, torch.Tensor):
        return made if out is None or made is out else out.copy_(made)
    if len(made) == 1 and out is None:
        return made[0][None]
    return torch.stack(made) if out is None else torch.stack(made, out=out)


def product_by_seed(
    left: torch.Tensor, right: torch.Tensor, out: torch.Tensor | None = None
) -> torch.Tensor | tuple[torch.Tensor, ...]:
    """Multiply matrices seed by seed, and leave apart what oneDNN makes apart.

    Args:
        left: float (S, n, k).
        right: float (S, k, m); where it is one matrix expanded along S, it is multiplied once.
        out: (S, n, m), overwritten where it suits; only what is returned counts.

    Returns:
        (S, n, m), or S tensors (n, m).
    """
    if len(left) > 1 and right.stride(0) == 0:
        # one matrix for all seeds: their rows go into one product
        made = product(left.reshape(1, -1, left.shape[2]), right[:1])
        return made.view(*left.shape[:2], right.shape[2])
    if not _suits_onednn(left, left.shape[1] * left.shape[2] * right.shape[2]):
        return torch.bmm(left, right) if out is None else torch.bmm(left, right, out=out)
    linear = torch.ops.mkldnn._linear_pointwise
    pairs = zip(left.unbind(), right.mT.unbind(), strict=True)
    return tuple(linear(rows, columns, None, "none", [], "") for rows, columns in pairs)


def linear(
    inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """Do what `torch.nn.functional.linear` does, without gradients.

    Args:
        inputs: float (..., k).
        weight: float (m, k).
        bias: float (m,) or None.
    """
    operations = inputs.numel() * weight.shape[0]
    if inputs.dim() == 2 and weight.dtype == inputs.dtype and _suits_onednn(inputs, operations):
        return torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
    return torch.nn.functional.linear(inputs, weight, bias)


def _suits_onednn(left: torch.Tensor, operations: int) -> bool:
    return (
        left.device.type == "cpu"
        and left.dtype == torch.float32
        and operations >= WORTHWHILE
        and torch.get_num_threads() == 1
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )
