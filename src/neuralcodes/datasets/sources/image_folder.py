"""Own images, in a folder or an archive of {train,test}/{class}/*.png|jpg|jpeg."""

import io
from pathlib import Path, PurePosixPath

import numpy as np

from neuralcodes.datasets import archives
from neuralcodes.datasets.sources.declaration import SPLITS, Arrays, Decoded, Source
from neuralcodes.errors import DataError


def _decode(files: list[Path]) -> Decoded:
    path = files[0]
    images: dict[str, dict[tuple[str, ...], np.ndarray]] = {split: {} for split in SPLITS}
    first = None
    for name, content in archives.image_members(path):
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if len(parts) != 3 or parts[0] not in images:
            raise DataError(
                f"{path}: the image {name} is not at {{train,test}}/{{class}}/{{image}}; move it"
            )
        image = _read_image(path, name, content)
        first = first or (name, image.shape)
        if image.shape != first[1]:
            raise DataError(
                f"{path}: the image {name} has (height, width, channels) {image.shape}, expected "
                f"{first[1]} as {first[0]}; bring all images to one size and mode"
            )
        images[parts[0]][parts[1:]] = image
    found = {split: {label for label, _ in images[split]} for split in SPLITS}
    classes = tuple(sorted(found["train"] | found["test"]))
    if not classes or found["train"] != found["test"]:
        raise DataError(
            f"{path}: expected the same classes in train/{{class}}/ and test/{{class}}/, found "
            f"{sorted(found['train'])} and {sorted(found['test'])}; add the missing images"
        )
    return Decoded({split: _shuffled(images[split], classes) for split in SPLITS}, classes)


def _read_image(path: Path, name: str, content: bytes) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            mode, array = image.mode, np.asarray(image)
    except Exception as error:  # Pillow fails in many ways on what is none
        raise DataError(f"{path}: the image {name} is damaged ({error}); copy it again") from error
    if mode not in ("L", "RGB"):
        raise DataError(
            f"{path}: the image {name} has mode {mode}, expected L (8-bit grey) or RGB; convert it"
        )
    return array[..., None] if mode == "L" else array


def _shuffled(images: dict[tuple[str, ...], np.ndarray], classes: tuple[str, ...]) -> Arrays:
    # Studies train on the first n examples and validate on the last fifth: in the folders' order,
    # class by class, these would miss whole classes. Sorting first makes a folder and an archive
    # of it give the same arrays.
    names = sorted(images)
    order = np.random.default_rng(0).permutation(len(names))
    label_of = {label: index for index, label in enumerate(classes)}
    inputs = np.stack([images[names[i]] for i in order])
    return inputs, np.array([label_of[names[i][0]] for i in order], dtype=np.int64)


SOURCE = Source(name="image_folder", decode=_decode, label="own images", needs_path=True)
