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
        return made
    return torch.stack(made) if out is None else torch.stack(made, out=out)


def product_by_seed(
    left: torch.Tensor, right: torch.Tensor, out: torch.Tensor | None = None
) -> torch.Tensor | tuple[torch.Tensor, ...]:
    """Multiply matrices seed by seed, and leave apart what oneDNN makes apart.

    Args:
        left: float (S, n, k).
        right: float (S, k, m).
        out: (S, n, m), overwritten where the result is one tensor.

    Returns:
        (S, n, m), or S tensors (n, m).
    """
    if not _suits_onednn(left, right):
        return torch.bmm(left, right) if out is None else torch.bmm(left, right, out=out)
    linear = torch.ops.mkldnn._linear_pointwise
    pairs = zip(left.unbind(), right.mT.unbind(), strict=True)
    return tuple(linear(rows, columns, None, "none", [], "") for rows, columns in pairs)


def _suits_onednn(left: torch.Tensor, right: torch.Tensor) -> bool:
    return (
        left.device.type == "cpu"
        and left.dtype == torch.float32
        and left.shape[1] * left.shape[2] * right.shape[2] >= WORTHWHILE
        and torch.get_num_threads() == 1
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )
