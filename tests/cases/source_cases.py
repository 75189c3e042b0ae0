"""Made-up files of every source, in the formats of the real ones."""

import gzip
import hashlib
import io
import pickle
import tarfile

import numpy as np
import scipy.io
from PIL import Image

from neuralcodes.datasets import torchvision_ops

NAMES = [
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
]
IMAGES = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
LABELS = np.array([3, 1, 4, 1, 5], dtype=np.uint8)
NOBODY = "http://127.0.0.1:9/"  # nobody listens there
IDX = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}
CIFAR = {
    "cifar10": ("CIFAR10", "labels", "label_names"),
    "cifar100": ("CIFAR100", "fine_labels", "fine_label_names"),
}
OFFICIAL = (*IDX, *CIFAR, "svhn")


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def official(source, monkeypatch):
    """Files that torchvision takes for those of a source, and the arrays that are in them."""
    datasets = torchvision_ops.import_torchvision().datasets
    if source in IDX:
        return _idx_files(getattr(datasets, IDX[source]), monkeypatch)
    if source in CIFAR:
        name, *keys = CIFAR[source]
        return _cifar_files(getattr(datasets, name), monkeypatch, *keys)
    return _svhn_files(datasets.SVHN, monkeypatch)


def _idx_files(dataset, monkeypatch):
    arrays = (IMAGES, LABELS, IMAGES[:2] + 100, LABELS[:2])
    files = {name: idx(array) for name, array in zip(NAMES, arrays, strict=True)}
    monkeypatch.setattr(dataset, "resources", [(name, md5(files[name])) for name in NAMES])
    monkeypatch.setattr(dataset, "mirrors", [NOBODY])
    expected = {"train": (arrays[0][..., None], LABELS), "test": (arrays[2][..., None], arrays[3])}
    return files, expected


def old_pickle(entry):
    # Python 2 wrote a dtype's flags as integers, and numpy's module had another name.
    return (
        pickle.dumps(entry, protocol=2)
        .replace(b"\x89\x88\x87", b"K\x00K\x01\x87")
        .replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    )


def _cifar_files(dataset, monkeypatch, label_key, meta_key):
    """3 train and 2 test images, channels first: red, green and blue planes."""
    pixels = np.arange(5 * 3072).reshape(5, 3072).astype(np.uint8)
    contents = {
        "train": old_pickle({"data": pixels[:3], label_key: [1, 0, 1]}),
        "test": old_pickle({"data": pixels[3:], label_key: [0, 1]}),
        "meta": old_pickle({meta_key: ["cat", "dog"]}),
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for file, content in contents.items():
            member = tarfile.TarInfo(f"{dataset.base_folder}/{file}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    meta = {"filename": "meta", "key": meta_key, "md5": md5(contents["meta"])}
    for name, value in {
        "train_list": [["train", md5(contents["train"])]],
        "test_list": [["test", md5(contents["test"])]],
        "meta": meta,
        "tgz_md5": md5(stream.getvalue()),
    }.items():
        monkeypatch.setattr(dataset, name, value)
    images = pixels.reshape(5, 3, 32, 32).transpose(0, 2, 3, 1)
    expected = {"train": (images[:3], [1, 0, 1]), "test": (images[3:], [0, 1])}
    return {dataset.filename: stream.getvalue()}, expected


def _svhn_files(dataset, monkeypatch):
    """The digit 0 is the class 10."""
    pixels = np.arange(32 * 32 * 3 * 3).reshape(32, 32, 3, 3).astype(np.uint8)
    files, listed, expected = {}, {}, {}
    for split, digits in (("train", [10, 1, 9]), ("test", [2, 10, 3])):
        stream, name = io.BytesIO(), f"{split}_32x32.mat"
        labels = np.array(digits, dtype=np.uint8)[:, None]
        scipy.io.savemat(stream, {"X": pixels, "y": labels}, do_compression=True)
        files[name] = stream.getvalue()
        listed[split] = [f"{NOBODY}{name}", name, md5(files[name])]
        expected[split] = pixels.transpose(3, 0, 1, 2), [digit % 10 for digit in digits]
    monkeypatch.setattr(dataset, "split_list", listed)
    return files, expected


def encoded(array, mode=None, kind="PNG"):
    stream = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(stream, kind)
    return stream.getvalue()
