"""Where raw data comes from: official downloads, a mirror, own files; what is read was verified."""

import contextlib
import http.client
import importlib.resources
import json
import shutil
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from neuralcodes.datasets import torchvision_ops
from neuralcodes.errors import DataError
from neuralcodes.storage import checksums, jobs
from neuralcodes.storage.checksums import checksum

# The configuration's names and torchvision's; addresses, MD5s and class names are read from there.
OFFICIAL = {
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "kmnist": "KMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
    "svhn": "SVHN",
}
MANIFEST = "manifest.json"

Arrays = tuple[np.ndarray, np.ndarray]

_NETWORK_ERRORS = (OSError, RuntimeError, http.client.HTTPException)
_ROUNDS = 2  # a transfer cut half-way usually succeeds the next time
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class OfficialFile:
    """One file of an official download, the addresses that offer it and its MD5."""

    name: str
    urls: tuple[str, ...]
    md5: str


def fetch(source: str, path: str | None, raw_directory: Path, mirror: Path | None) -> list[Path]:
    """Obtain and verify the raw files of a source, then write `raw_directory`/manifest.json.

    Official files come from the mirror where it has them (in a folder of the dataset's name, in
    torchvision's layout, or at its root), else from the network. What is local stays where it is.

    Args:
        source: a name of `datasets.SOURCES`.
        path: of image_folder and npz: absolute, or relative to the working directory or mirror.
        raw_directory: receives the files; the manifest is written last, so that a fetch that
            was cut never counts as done.
        mirror: a directory, or None.

    Returns:
        The raw files; none for `digits`, which is bundled with scikit-learn.

    Raises:
        DataError: a file is missing, does not have its checksum or cannot be downloaded.
    """
    manifest = raw_directory / MANIFEST
    manifest.unlink(missing_ok=True)
    if mirror is not None and not mirror.is_dir():
        raise DataError(
            f"the mirror {mirror} is not a directory; correct data.mirror or the environment "
            "variable NEURALCODES_DATA_MIRROR, or leave it out to download"
        )
    if source in OFFICIAL:
        entries = [_obtain(source, file, raw_directory, mirror) for file in official_files(source)]
    elif source == "digits":
        data = importlib.resources.files("sklearn.datasets.data").joinpath("digits.csv.gz")
        with importlib.resources.as_file(data) as bundled:
            entries = [_entry(bundled, f"sha256:{checksum(bundled)}", "bundled")]
    else:
        entries = [_find_local(str(path), mirror)]
    with jobs.atomic(manifest) as temporary:
        content = {"source": source, "files": entries}
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    kept = [entry for entry in entries if entry["origin"] != "bundled"]
    return [Path(entry.get("path", raw_directory / entry["name"])) for entry in kept]


def verified(source: str, raw_directory: Path) -> list[Path]:
    """Find the raw files that `fetch` obtained and check that they are still the same.

    Official files are held against the official MD5, others against the manifest's SHA-256.

    Raises:
        DataError: nothing was fetched, or a file is gone or has changed.
    """
    manifest = raw_directory / MANIFEST
    again = checksums.rebuild(manifest)
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        found, entries = content["source"], content["files"]
        sums = [str(each["checksum"]).removeprefix("sha256:") for each in entries]
        local = [
            (Path(each["path"]), "sha256", total)
            for each, total in zip(entries, sums, strict=True)
            if source not in (*OFFICIAL, "digits")
        ]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        found = "no source"
    if found != source:
        raise DataError(
            f"{manifest} names {found}, expected {source}: the download is not complete; {again}"
        )
    if source == "digits":
        return []
    if source in OFFICIAL:
        files = [(raw_directory / file.name, "md5", file.md5) for file in official_files(source)]
        remedy = again
    else:
        files = local
        remedy = f"restore it, or delete {manifest} to take it as it is now"
    for file, algorithm, expected in files:
        _verify(file, file, algorithm, expected, remedy)
    return [file for file, _, _ in files]


def official_files(source: str) -> list[OfficialFile]:
    """Name the files of an official source, as torchvision knows them."""
    dataset = getattr(torchvision_ops.import_torchvision().datasets, OFFICIAL[source])
    if source == "svhn":
        listed = [dataset.split_list[split] for split in ("train", "test")]
        return [OfficialFile(name, (url,), md5) for url, name, md5 in listed]
    if source.startswith("cifar"):
        return [OfficialFile(dataset.filename, (dataset.url,), dataset.tgz_md5)]
    return [
        OfficialFile(name, tuple(f"{mirror}{name}" for mirror in dataset.mirrors), md5)
        for name, md5 in dataset.resources
    ]


def read_official(source: str, files: list[Path]) -> tuple[dict[str, Arrays], tuple[str, ...]]:
    """Decode the verified files of an official source with torchvision's own readers.

    Args:
        source: a name of `OFFICIAL`.
        files: what `verified` returned. CIFAR's files are pickles, which can run code when they
            are read: never pass files whose official checksum was not verified.

    Returns:
        For train and test: inputs uint8 (n, h, w, c), labels int64 (n,); and the class names.
    """
    torchvision = torchvision_ops.import_torchvision()
    dataset = getattr(torchvision.datasets, OFFICIAL[source])
    if source == "svhn":
        parts = {split: dataset(files[0].parent, split=split) for split in ("train", "test")}
        arrays = {split: (p.data.transpose(0, 2, 3, 1), p.labels) for split, p in parts.items()}
        return arrays, tuple(str(digit) for digit in range(10))
    with tempfile.TemporaryDirectory() as root:
        _unpack(torchvision, dataset, files, Path(root))
        parts = {split: dataset(root, train=split == "train") for split in ("train", "test")}
    if source.startswith("cifar"):
        arrays = {split: (p.data, np.array(p.targets)) for split, p in parts.items()}
    else:
        arrays = {s: (p.data.numpy()[..., None], p.targets.numpy()) for s, p in parts.items()}
    return arrays, tuple(parts["train"].classes)


def _obtain(source: str, file: OfficialFile, directory: Path, mirror: Path | None) -> dict:
    target = directory / file.name
    found = _in_mirror(source, file, mirror) if mirror is not None else None
    if found is None:
        if not target.is_file() or checksum(target, "md5") != file.md5:
            _download(file, target)
        return _entry(target, f"md5:{file.md5}", "official")
    with jobs.atomic(target) as temporary:
        shutil.copyfile(found, temporary)
        remedy = "replace it with the official file, or delete it from the mirror to download it"
        _verify(temporary, found, "md5", file.md5, remedy)
    return _entry(target, f"md5:{file.md5}", "mirror")


def _in_mirror(source: str, file: OfficialFile, mirror: Path) -> Path | None:
    name = OFFICIAL[source]
    for folder in (source, name.lower(), f"{name}/raw", name):
        if (mirror / folder / file.name).is_file():
            return mirror / folder / file.name
    at_root = mirror / file.name
    # MNIST and its namesakes share file names: at the root one's file is not another's error.
    others = {other.md5 for name in OFFICIAL.keys() - {source} for other in official_files(name)}
    fits = at_root.is_file() and checksum(at_root, "md5") not in others
    return at_root if fits else None


def _download(file: OfficialFile, target: Path) -> None:
    download_url = torchvision_ops.import_torchvision().datasets.utils.download_url
    failures = []
    for url in file.urls * _ROUNDS:
        try:
            with _network_timeout(), jobs.atomic(target) as temporary:
                download_url(url, str(temporary.parent), temporary.name)
                if (found := checksum(temporary, "md5")) != file.md5:
                    raise RuntimeError(f"expected MD5 {file.md5}, found {found}: cut or damaged")
                return
        except _NETWORK_ERRORS as error:
            failures.append(f"{url}: {error}")
    raise DataError(
        f"{file.name} could not be downloaded:\n  "
        + "\n  ".join(dict.fromkeys(failures))
        + f"\nTry again later, or put the file (MD5 {file.md5}) into a folder and name that folder "
        "as data.mirror or in the environment variable NEURALCODES_DATA_MIRROR"
    )


@contextlib.contextmanager
def _network_timeout() -> Iterator[None]:
    # torchvision sets none, and a silent server would hold the job for ever.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _find_local(path: str, mirror: Path | None) -> dict:
    wanted = Path(path).expanduser()
    places = [(Path.cwd() / wanted, "local")]
    places += [(mirror / wanted, "mirror")] if mirror is not None else []
    for place, origin in places:
        if place.exists():
            entry = _entry(place, f"sha256:{checksum(place)}", origin)
            return entry | {"path": str(place.resolve())}
    tried = " nor ".join(dict.fromkeys(str(place) for place, _ in places))
    raise DataError(f"path {path}: there is no {tried}; correct the path or data.mirror")


def _entry(file: Path, digest: str, origin: str) -> dict:
    parts = [file] if file.is_file() else file.rglob("*")
    size = sum(part.stat().st_size for part in parts if part.is_file())
    return {"name": file.name, "size": size, "checksum": digest, "origin": origin}


def _verify(file: Path, named: Path, algorithm: str, expected: str, remedy: str) -> None:
    found = checksum(file, algorithm) if file.exists() else "no such file"
    if found != expected:
        kind = {"md5": "MD5", "sha256": "SHA-256"}[algorithm]
        raise DataError(f"{named}: expected {kind} {expected}, found {found}; {remedy}")


def _unpack(torchvision: ModuleType, dataset: type, files: list[Path], root: Path) -> None:
    if files[0].name.endswith(".tar.gz"):
        with tarfile.open(files[0]) as archive:
            archive.extractall(root, filter="data")
        return
    raw = root / dataset.__name__ / "raw"
    raw.mkdir(parents=True)
    for file in files:
        torchvision.datasets.utils.extract_archive(str(file), str(raw))
