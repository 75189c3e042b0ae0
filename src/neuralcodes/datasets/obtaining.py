"""Raw data: from official downloads, a mirror or own files; what is read was verified."""

import contextlib
import http.client
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from neuralcodes.datasets import sources, torchvision_ops
from neuralcodes.datasets.sources.declaration import OfficialFile, Source
from neuralcodes.errors import DataError
from neuralcodes.storage import checksums, jobs
from neuralcodes.storage.checksums import checksum

MANIFEST = "manifest.json"

_NETWORK_ERRORS = (OSError, RuntimeError, http.client.HTTPException)
_ROUNDS = 2  # a transfer cut half-way usually succeeds the next time
_TIMEOUT_S = 60.0


def fetch(source: str, path: str | None, raw_directory: Path, mirror: Path | None) -> list[Path]:
    """Obtain and verify the raw files of a source, then write `raw_directory`/manifest.json.

    Official files come from the mirror where it has them (in a folder of the dataset's name, in
    torchvision's layout, or at its root), else from the network. What is local stays where it is.

    Args:
        source: one of `sources.names`.
        path: of a source that needs one: absolute, or relative to the working directory or mirror.
        raw_directory: receives the files; the manifest is written last, so that a fetch that
            was cut never counts as done.
        mirror: a directory, or None.

    Returns:
        The raw files; none for a source that is bundled with a library.

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
    declared, entries = sources.get(source), []
    if declared.files is not None:
        entries = [_obtain(declared, file, raw_directory, mirror) for file in declared.files()]
    elif declared.needs_path:
        entries = [_find_local(str(path), mirror)]
    elif declared.bundled is not None:
        with declared.bundled() as bundled:
            entries = [_entry(bundled, f"sha256:{checksum(bundled)}", "bundled")]
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
    manifest, declared = raw_directory / MANIFEST, sources.get(source)
    again = checksums.rebuild(manifest)
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        found, entries = content["source"], content["files"]
        sums = [str(each["checksum"]).removeprefix("sha256:") for each in entries]
        local = [
            (Path(each["path"]), "sha256", total)
            for each, total in zip(entries, sums, strict=True)
            if declared.needs_path
        ]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        found = "no source"
    if found != source:
        raise DataError(
            f"{manifest} names {found}, expected {source}: the download is not complete; {again}"
        )
    files, remedy = local, f"restore it, or delete {manifest} to take it as it is now"
    if declared.files is not None:
        files = [(raw_directory / file.name, "md5", file.md5) for file in declared.files()]
        remedy = again
    for file, algorithm, expected in files:
        _verify(file, file, algorithm, expected, remedy)
    return [file for file, _, _ in files]


def _obtain(source: Source, file: OfficialFile, directory: Path, mirror: Path | None) -> dict:
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


def _in_mirror(source: Source, file: OfficialFile, mirror: Path) -> Path | None:
    for folder in source.folders:
        if (mirror / folder / file.name).is_file():
            return mirror / folder / file.name
    at_root = mirror / file.name
    # MNIST and its namesakes share file names: at the root one's file is not another's error.
    every = (sources.get(name) for name in sources.names() if name != source.name)
    others = {other.md5 for each in every if each.files is not None for other in each.files()}
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
