"""Raw data: mirror, official downloads, checksums, archives, torchvision's readers."""

import gzip
import hashlib
import http.server
import io
import json
import pickle
import socket
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from neuralcodes.datasets import sources, torchvision_ops
from neuralcodes.errors import DataError

NAMES = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
]
IMAGES = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
LABELS = np.array([3, 1, 4, 1, 5], dtype=np.uint8)


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


@pytest.fixture
def kmnist(monkeypatch):
    """Four small files in MNIST's format; torchvision believes that they are KMNIST."""
    arrays = (IMAGES, LABELS, IMAGES[:2] + 100, LABELS[:2])
    files = {name: idx(array) for name, array in zip(NAMES, arrays, strict=True)}
    dataset = torchvision_ops.import_torchvision().datasets.KMNIST
    monkeypatch.setattr(dataset, "resources", [(name, md5(files[name])) for name in NAMES])
    monkeypatch.setattr(dataset, "mirrors", ["http://127.0.0.1:9/"])  # nobody listens there
    return files


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


class Server:
    """A web server of a dictionary; `cut` paths promise more bytes than they send."""

    def __init__(self, files):
        self.files, self.cut, self.asked = files, {}, []
        self.stalled, self.release = False, threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def answer(self, request):
        name = request.path.removeprefix("/")
        self.asked.append(name)
        if self.stalled:
            self.release.wait(10)
            return
        if name not in self.files:
            request.send_error(404)
            return
        content = self.files[name]
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if self.cut.get(name, 0) > 0:
            self.cut[name] -= 1
            content = content[: len(content) // 2]
        request.wfile.write(content)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/"

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def server(kmnist, monkeypatch):
    server = Server(kmnist)
    dataset = torchvision_ops.import_torchvision().datasets.KMNIST
    monkeypatch.setattr(dataset, "mirrors", [server.url])
    yield server
    server.close()


def manifest_of(raw):
    return json.loads((raw / "manifest.json").read_text())


@pytest.mark.parametrize("layout", ["", "kmnist", "KMNIST/raw"])
def test_files_come_from_the_mirror_in_each_layout(tmp_path, kmnist, layout):
    mirror = write(tmp_path / "mirror" / layout, kmnist)
    raw = tmp_path / "raw"
    files = sources.fetch("kmnist", None, raw, tmp_path / "mirror")
    assert files == [raw / name for name in NAMES]
    assert all(file.read_bytes() == (mirror / file.name).read_bytes() for file in files)
    assert sorted(p.name for p in raw.iterdir()) == sorted([*NAMES, "manifest.json"])
    assert manifest_of(raw)["files"][0] == {
        "name": NAMES[0],
        "size": len(kmnist[NAMES[0]]),
        "checksum": f"md5:{md5(kmnist[NAMES[0]])}",
        "origin": "mirror",
    }


def test_the_folder_of_fashion_mnist_may_have_either_spelling(tmp_path, kmnist, monkeypatch):
    datasets = torchvision_ops.import_torchvision().datasets
    monkeypatch.setattr(datasets.FashionMNIST, "resources", datasets.KMNIST.resources)
    for folder in ("fashion_mnist", "fashionmnist"):
        write(tmp_path / folder / folder, kmnist)
        sources.fetch("fashion_mnist", None, tmp_path / "raw", tmp_path / folder)
        assert manifest_of(tmp_path / "raw")["files"][3]["origin"] == "mirror"


def test_a_wrong_checksum_in_the_mirror_names_file_expected_and_found(tmp_path, kmnist):
    mirror = write(tmp_path / "mirror" / "kmnist", kmnist)
    damaged = kmnist[NAMES[1]][:-1]
    (mirror / NAMES[1]).write_bytes(damaged)
    with pytest.raises(DataError, match="delete it from the mirror") as error:
        sources.fetch("kmnist", None, tmp_path / "raw", tmp_path / "mirror")
    for part in (mirror / NAMES[1], md5(kmnist[NAMES[1]]), md5(damaged)):
        assert str(part) in str(error.value)
    assert sorted(p.name for p in (tmp_path / "raw").iterdir()) == [NAMES[0]]


def test_the_mirror_must_be_a_directory(tmp_path):
    with pytest.raises(DataError, match=r"nowhere is not a directory; correct data\.mirror"):
        sources.fetch("digits", None, tmp_path / "raw", tmp_path / "nowhere")


def test_a_namesake_at_the_root_of_the_mirror_is_not_an_error(
    tmp_path, kmnist, server, monkeypatch
):
    namesake = {name: idx(LABELS) for name in NAMES}
    dataset = torchvision_ops.import_torchvision().datasets.FashionMNIST
    monkeypatch.setattr(dataset, "resources", [(name, md5(namesake[name])) for name in NAMES])
    sources.fetch("kmnist", None, tmp_path / "raw", write(tmp_path / "mirror", namesake))
    assert {entry["origin"] for entry in manifest_of(tmp_path / "raw")["files"]} == {"official"}


def test_official_files_are_downloaded_and_verified(tmp_path, kmnist, server):
    raw = tmp_path / "raw"
    files = sources.fetch("kmnist", None, raw, None)
    assert [file.read_bytes() for file in files] == [kmnist[name] for name in NAMES]
    assert sorted(p.name for p in raw.iterdir()) == sorted([*NAMES, "manifest.json"])
    assert manifest_of(raw)["files"][2]["origin"] == "official"


def test_a_mirror_without_the_files_falls_back_to_the_download(tmp_path, server):
    (tmp_path / "mirror").mkdir()
    sources.fetch("kmnist", None, tmp_path / "raw", tmp_path / "mirror")
    assert manifest_of(tmp_path / "raw")["files"][0]["origin"] == "official"


def test_the_manifest_does_not_depend_on_when_it_was_written(tmp_path, server):
    for name in ("a", "b"):
        sources.fetch("kmnist", None, tmp_path / name, None)
    texts = [(tmp_path / name / "manifest.json").read_bytes() for name in ("a", "b")]
    assert texts[0] == texts[1]


def test_a_download_cut_half_way_never_counts_as_done(tmp_path, kmnist, server):
    server.cut = {NAMES[2]: 100}
    raw = tmp_path / "raw"
    with pytest.raises(DataError, match=f"{NAMES[2]} could not be downloaded") as error:
        sources.fetch("kmnist", None, raw, None)
    for part in (server.url + NAMES[2], md5(kmnist[NAMES[2]]), "NEURALCODES_DATA_MIRROR"):
        assert part in str(error.value)
    assert sorted(p.name for p in raw.iterdir()) == sorted(NAMES[:2])
    with pytest.raises(DataError, match="the download is not complete"):
        sources.verified("kmnist", raw)


def test_a_cut_download_succeeds_when_the_next_one_is_complete(tmp_path, kmnist, server):
    server.cut = {NAMES[0]: 1}
    files = sources.fetch("kmnist", None, tmp_path / "raw", None)
    assert files[0].read_bytes() == kmnist[NAMES[0]]


def test_a_cut_refetch_removes_the_manifest_of_before(tmp_path, server):
    raw = tmp_path / "raw"
    sources.fetch("kmnist", None, raw, None)
    (raw / NAMES[3]).unlink()
    server.cut = {NAMES[3]: 100}
    with pytest.raises(DataError, match="could not be downloaded"):
        sources.fetch("kmnist", None, raw, None)
    assert not (raw / "manifest.json").exists()


def test_the_next_address_is_tried_when_one_fails(tmp_path, server, monkeypatch):
    dataset = torchvision_ops.import_torchvision().datasets.KMNIST
    monkeypatch.setattr(dataset, "mirrors", [f"{server.url}gone/", server.url])
    sources.fetch("kmnist", None, tmp_path / "raw", None)
    assert f"gone/{NAMES[0]}" in server.asked


def test_an_unreachable_server_is_named(tmp_path, kmnist):
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:9/train-images.*refused"):
        sources.fetch("kmnist", None, tmp_path / "raw", None)


def test_a_silent_server_does_not_hold_the_job(tmp_path, server, monkeypatch):
    monkeypatch.setattr(sources, "_TIMEOUT_S", 0.2)
    server.stalled = True
    with pytest.raises(DataError, match="timed out"):
        sources.fetch("kmnist", None, tmp_path / "raw", None)
    assert socket.getdefaulttimeout() is None


def test_complete_files_are_kept_and_damaged_ones_replaced(tmp_path, kmnist, server):
    raw = tmp_path / "raw"
    sources.fetch("kmnist", None, raw, None)
    server.asked.clear()
    (raw / NAMES[1]).write_bytes(b"damaged")
    sources.fetch("kmnist", None, raw, None)
    assert set(server.asked) == {NAMES[1]}
    assert (raw / NAMES[1]).read_bytes() == kmnist[NAMES[1]]


def test_digits_are_bundled(tmp_path):
    assert sources.fetch("digits", None, tmp_path / "raw", None) == []
    assert manifest_of(tmp_path / "raw")["files"][0]["origin"] == "bundled"
    assert sources.verified("digits", tmp_path / "raw") == []


@pytest.mark.parametrize("kind", ["absolute", "working directory", "mirror"])
def test_local_files_are_found_and_stay_where_they_are(tmp_path, monkeypatch, kind):
    write(tmp_path / "place", {"a.npz": b"abc"})
    monkeypatch.chdir(tmp_path / "place" if kind == "working directory" else tmp_path)
    path = str(tmp_path / "place" / "a.npz") if kind == "absolute" else "a.npz"
    mirror = tmp_path / "place" if kind == "mirror" else None
    assert sources.fetch("npz", path, tmp_path / "raw", mirror) == [tmp_path / "place" / "a.npz"]
    assert manifest_of(tmp_path / "raw")["files"] == [
        {
            "name": "a.npz",
            "size": 3,
            # SHA-256 of "abc": the first example of FIPS 180
            "checksum": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "origin": "mirror" if kind == "mirror" else "local",
            "path": str(tmp_path / "place" / "a.npz"),
        }
    ]
    assert [p.name for p in (tmp_path / "raw").iterdir()] == ["manifest.json"]


def test_a_missing_path_names_every_place_that_was_tried(tmp_path):
    with pytest.raises(DataError, match=r"path gone\.npz: there is no .*gone\.npz nor .*gone\.npz"):
        sources.fetch("npz", "gone.npz", tmp_path / "raw", tmp_path)


def test_raw_files_of_another_source_are_refused(tmp_path):
    sources.fetch("digits", None, tmp_path, None)
    with pytest.raises(DataError, match="names digits, expected mnist"):
        sources.verified("mnist", tmp_path)


@pytest.mark.parametrize(
    "text",
    ['{"source": "dig', "[]", '{"source": "npz"}', '{"source": "npz", "files": [{}]}', "[" * 10**6],
)
def test_a_damaged_manifest_counts_as_no_download(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    message = r"names no source, expected npz: .*; delete \S*manifest\.json and run the same"
    with pytest.raises(DataError, match=message):
        sources.verified("npz", tmp_path)


@pytest.mark.parametrize(("old", "new"), [("sha256:", "sha257:"), ("ba7816bf8f", "ba7816bf8e")])
def test_a_damaged_checksum_in_a_manifest_is_not_that_of_the_file(tmp_path, old, new):
    write(tmp_path, {"a.npz": b"abc"})
    sources.fetch("npz", str(tmp_path / "a.npz"), tmp_path, None)
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace(old, new))
    with pytest.raises(DataError, match=r"a\.npz: expected SHA-256 .*, found ba7816bf"):
        sources.verified("npz", tmp_path)


def test_an_official_file_that_changed_is_refused_before_it_is_read(tmp_path, kmnist, server):
    raw = tmp_path / "raw"
    sources.fetch("kmnist", None, raw, None)
    (raw / NAMES[0]).write_bytes(b"other")
    expected = f"expected MD5 {md5(kmnist[NAMES[0]])}, found {md5(b'other')}; delete"
    with pytest.raises(DataError, match=expected):
        sources.verified("kmnist", raw)
    (raw / NAMES[0]).unlink()
    again = r"; delete \S*raw/manifest\.json and run the same"
    with pytest.raises(DataError, match=f"found no such file{again}"):
        sources.verified("kmnist", raw)


def test_a_local_folder_that_changed_is_refused(tmp_path):
    folder = write(tmp_path / "images", {"a.png": b"a"})
    sources.fetch("image_folder", str(folder), tmp_path / "raw", None)
    assert sources.verified("image_folder", tmp_path / "raw") == [folder]
    write(folder / "deeper", {"b.png": b"b"})
    with pytest.raises(DataError, match=r"expected SHA-256 .*, found .*; restore it"):
        sources.verified("image_folder", tmp_path / "raw")


def test_the_checksum_of_a_folder_sees_names_and_contents(tmp_path):
    folders = {"a": b"1", "b": b"1", "c": b"2"}
    sums = [
        sources.checksum(write(tmp_path / str(i), {name: content}))
        for i, (name, content) in enumerate(folders.items())
    ]
    assert len(set(sums)) == 3
    assert sources.checksum(write(tmp_path / "again", {"a": b"1"})) == sums[0]


@pytest.mark.parametrize("source", sources.OFFICIAL)
def test_every_official_source_has_addresses_and_checksums(source):
    files = sources.official_files(source)
    assert len(files) == {"svhn": 2, "cifar10": 1, "cifar100": 1}.get(source, 4)
    for file in files:
        assert len(file.md5) == 32
        assert all(url.startswith("http") and url.endswith(file.name) for url in file.urls)


def test_files_of_the_mnist_family_are_decoded(tmp_path, kmnist):
    files = sources.fetch("kmnist", None, tmp_path / "raw", write(tmp_path / "mirror", kmnist))
    arrays, classes = sources.read_official("kmnist", files)
    np.testing.assert_array_equal(arrays["train"][0], IMAGES[..., None])
    np.testing.assert_array_equal(arrays["test"][0], IMAGES[:2, ..., None] + 100)
    np.testing.assert_array_equal(arrays["train"][1], [3, 1, 4, 1, 5])
    assert arrays["train"][0].dtype == np.uint8
    assert arrays["train"][1].dtype == np.int64
    assert classes == ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


def old_pickle(entry):
    # Python 2 wrote a dtype's flags as integers, and numpy's module had another name.
    return (
        pickle.dumps(entry, protocol=2)
        .replace(b"\x89\x88\x87", b"K\x00K\x01\x87")
        .replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    )


def cifar(monkeypatch, tmp_path, name, label_key, meta_key):
    """A small archive in CIFAR's format: 3 train and 2 test images, channels first."""
    dataset = getattr(torchvision_ops.import_torchvision().datasets, name)
    pixels = np.arange(5 * 3072).reshape(5, 3072).astype(np.uint8)
    contents = {
        "train": old_pickle({"data": pixels[:3], label_key: [1, 0, 1]}),
        "test": old_pickle({"data": pixels[3:], label_key: [0, 1]}),
        "meta": old_pickle({meta_key: ["cat", "dog"]}),
    }
    monkeypatch.setattr(dataset, "train_list", [["train", md5(contents["train"])]])
    monkeypatch.setattr(dataset, "test_list", [["test", md5(contents["test"])]])
    meta = {"filename": "meta", "key": meta_key, "md5": md5(contents["meta"])}
    monkeypatch.setattr(dataset, "meta", meta)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    with tarfile.open(mirror / dataset.filename, "w:gz") as archive:
        for file, content in contents.items():
            member = tarfile.TarInfo(f"{dataset.base_folder}/{file}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(dataset, "tgz_md5", md5((mirror / dataset.filename).read_bytes()))
    return mirror, pixels


@pytest.mark.parametrize(
    ("source", "name", "label_key", "meta_key"),
    [
        ("cifar10", "CIFAR10", "labels", "label_names"),
        ("cifar100", "CIFAR100", "fine_labels", "fine_label_names"),
    ],
)
def test_cifar_is_decoded(tmp_path, monkeypatch, source, name, label_key, meta_key):
    mirror, pixels = cifar(monkeypatch, tmp_path, name, label_key, meta_key)
    files = sources.fetch(source, None, tmp_path / "raw", mirror)
    arrays, classes = sources.read_official(source, files)
    inputs, labels = arrays["train"]
    assert (inputs.shape, inputs.dtype, labels.dtype) == ((3, 32, 32, 3), np.uint8, np.int64)
    # pixel (0, 1) of an image: second byte of its red, green and blue planes
    assert inputs[2, 0, 1].tolist() == pixels[2, [1, 1025, 2049]].tolist()
    assert labels.tolist() == [1, 0, 1]
    assert arrays["test"][1].tolist() == [0, 1]
    assert classes == ("cat", "dog")


def test_svhn_is_decoded_with_label_0_for_the_digit_0(tmp_path, monkeypatch):
    dataset = torchvision_ops.import_torchvision().datasets.SVHN
    mirror, listed = tmp_path / "mirror", {}
    mirror.mkdir()
    pixels = np.arange(32 * 32 * 3 * 3).reshape(32, 32, 3, 3).astype(np.uint8)
    for split in ("train", "test"):
        file = mirror / f"{split}_32x32.mat"
        labels = np.array([[10], [1], [9]], dtype=np.uint8)
        scipy.io.savemat(file, {"X": pixels, "y": labels}, do_compression=True)
        listed[split] = [f"http://127.0.0.1:9/{file.name}", file.name, md5(file.read_bytes())]
    monkeypatch.setattr(dataset, "split_list", listed)
    files = sources.fetch("svhn", None, tmp_path / "raw", mirror)
    arrays, classes = sources.read_official("svhn", files)
    assert arrays["train"][0].shape == (3, 32, 32, 3)
    assert arrays["test"][0][1, 5, 6].tolist() == pixels[5, 6, :, 1].tolist()
    assert arrays["train"][1].tolist() == [0, 1, 9]
    assert classes == tuple("0123456789")


def test_importing_torchvision_twice_gives_the_same_module():
    module = torchvision_ops.import_torchvision()
    assert torchvision_ops.import_torchvision() is module is sys.modules["torchvision"]
    assert Path(module.__file__).parent.name == "torchvision"
    assert issubclass(module.datasets.KMNIST, module.datasets.MNIST)


def test_operators_that_are_there_already_are_left_alone():
    script = (
        "import torch; from neuralcodes.datasets import torchvision_ops as ops;"
        "mine = torch.library.Library('torchvision', 'DEF');"
        "[mine.define(schema) for schema in ops._SCHEMAS];"
        "assert ops.import_torchvision().datasets and ops._library is None"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
