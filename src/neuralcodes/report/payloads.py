"""Payloads: files as text inside a page, compressed, for its script to open."""

import base64
import gzip
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from neuralcodes.errors import DataError

# Antialiased text and see-through bands in a handful of hues: more colours cannot be told apart.
COLORS = 256


def packed(content: bytes) -> str:
    """Compress bytes with gzip and write them in base64; the same bytes give the same text.

    Args:
        content: what to embed.
    """
    return base64.b64encode(gzip.compress(content, compresslevel=9, mtime=0)).decode()


def packed_json(content: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    """Compress a value as JSON.

    Args:
        content: numbers, texts, lists and mappings; NaN and infinity are not JSON.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return packed(text.encode())


def packed_file(path: Path) -> str:
    """Compress a file.

    Raises:
        DataError: it cannot be read.
    """
    return packed(read(path))


def image(path: Path) -> tuple[str, int, int]:
    """Turn a PNG into a smaller image that looks the same, as a data address.

    Args:
        path: a PNG without transparency.

    Returns:
        The address, its width and its height in pixels.

    Raises:
        DataError: the file cannot be read or is no image.
    """
    content = read(path)
    try:
        figure = Image.open(io.BytesIO(content)).convert("RGB")
    except OSError as error:
        raise DataError(f"{path} is not an image ({error}); delete it and run again") from error
    reduced = figure.quantize(COLORS, dither=Image.Dither.NONE).convert("RGB")
    stored = io.BytesIO()
    reduced.save(stored, "WEBP", lossless=True, quality=60, method=4)
    address = "data:image/webp;base64," + base64.b64encode(stored.getvalue()).decode()
    return address, *figure.size


def read(path: Path) -> bytes:
    """Give the bytes of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}); run the rule that writes it"
        ) from error
