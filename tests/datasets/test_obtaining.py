"""Raw data: the mirror, official downloads, own files, and checksums of all."""

import http.server
import json
import socket
import threading

import pytest
from source_cases import LABELS, NAMES, idx, md5, official, write

from neuralcodes.datasets import obtaining, torchvision_ops
from neuralcodes.errors import DataError
from neuralcodes.storage import checksums


@pytest.fixture
def kmnist(monkeypatch):
    """Four small files in MNIST's format; torchvision believes that they are KMNIST."""
    return official("kmnist", monkeypatch)[0]


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


def test_a_wrong_checksum_in_the_mirror_names_file_expected_and_found(tmp_path, kmnist):
    mirror = write(tmp_path / "mirror" / "kmnist", kmnist)
    damaged = kmnist[NAMES[1]][:-1]
    (mirror / NAMES[1]).write_bytes(damaged)
    with pytest.raises(DataError, match="delete it from the mirror") as error:
        obtaining.fetch("kmnist", None, tmp_path / "raw", tmp_path / "mirror")
    for part in (mirror / NAMES[1], md5(kmnist[NAMES[1]]), md5(damaged)):
        assert str(part) in str(error.value)
    assert sorted(p.name for p in (tmp_path / "raw").iterdir()) == [NAMES[0]]


def test_the_mirror_must_be_a_directory(tmp_path):
    with pytest.raises(DataError, match=r"nowhere is not a directory; correct data\.mirror"):
        obtaining.fetch("digits", None, tmp_path / "raw", tmp_path / "nowhere")


def test_a_namesake_at_the_root_of_the_mirror_is_not_an_error(
    tmp_path, kmnist, server, monkeypatch
):
    namesake = {name: idx(LABELS) for name in NAMES}
    dataset = torchvision_ops.import_torchvision().datasets.FashionMNIST
    monkeypatch.setattr(dataset, "resources", [(name, md5(namesake[name])) for name in NAMES])
    obtaining.fetch("kmnist", None, tmp_path / "raw", write(tmp_path / "mirror", namesake))
    assert {entry["origin"] for entry in manifest_of(tmp_path / "raw")["files"]} == {"official"}


def test_official_files_are_downloaded_and_verified(tmp_path, kmnist, server):
    raw = tmp_path / "raw"
    files = obtaining.fetch("kmnist", None, raw, None)
    assert [file.read_bytes() for file in files] == [kmnist[name] for name in NAMES]
    assert sorted(p.name for p in raw.iterdir()) == sorted([*NAMES, "manifest.json"])
    assert manifest_of(raw)["files"][2] == {
        "name": NAMES[2],
        "size": len(kmnist[NAMES[2]]),
        "checksum": f"md5:{md5(kmnist[NAMES[2]])}",
        "origin": "official",
    }


def test_the_manifest_does_not_depend_on_when_it_was_written(tmp_path, server):
    for name in ("a", "b"):
        obtaining.fetch("kmnist", None, tmp_path / name, None)
    texts = [(tmp_path / name / "manifest.json").read_bytes() for name in ("a", "b")]
    assert texts[0] == texts[1]


def test_a_download_cut_half_way_never_counts_as_done(tmp_path, kmnist, server):
    server.cut = {NAMES[2]: 100}
    raw = tmp_path / "raw"
    with pytest.raises(DataError, match=f"{NAMES[2]} could not be downloaded") as error:
        obtaining.fetch("kmnist", None, raw, None)
    for part in (server.url + NAMES[2], md5(kmnist[NAMES[2]]), "NEURALCODES_DATA_MIRROR"):
        assert part in str(error.value)
    assert sorted(p.name for p in raw.iterdir()) == sorted(NAMES[:2])
    with pytest.raises(DataError, match="the download is not complete"):
        obtaining.verified("kmnist", raw)


def test_a_cut_refetch_removes_the_manifest_of_before(tmp_path, server):
    raw = tmp_path / "raw"
    obtaining.fetch("kmnist", None, raw, None)
    (raw / NAMES[3]).unlink()
    server.cut = {NAMES[3]: 100}
    with pytest.raises(DataError, match="could not be downloaded"):
        obtaining.fetch("kmnist", None, raw, None)
    assert not (raw / "manifest.json").exists()


def test_the_next_address_is_tried_when_one_fails_or_cuts(tmp_path, kmnist, server, monkeypatch):
    dataset = torchvision_ops.import_torchvision().datasets.KMNIST
    monkeypatch.setattr(dataset, "mirrors", [f"{server.url}gone/", server.url])
    server.cut = {NAMES[1]: 1}
    (tmp_path / "mirror").mkdir()  # without the files
    files = obtaining.fetch("kmnist", None, tmp_path / "raw", tmp_path / "mirror")
    assert f"gone/{NAMES[0]}" in server.asked
    assert [file.read_bytes() for file in files] == list(kmnist.values())


def test_an_unreachable_server_is_named(tmp_path, kmnist):
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:9/train-images.*refused"):
        obtaining.fetch("kmnist", None, tmp_path / "raw", None)


def test_a_silent_server_does_not_hold_the_job(tmp_path, server, monkeypatch):
    monkeypatch.setattr(obtaining, "_TIMEOUT_S", 0.2)
    server.stalled = True
    with pytest.raises(DataError, match="timed out"):
        obtaining.fetch("kmnist", None, tmp_path / "raw", None)
    assert socket.getdefaulttimeout() is None


def test_complete_files_are_kept_and_damaged_ones_replaced(tmp_path, kmnist, server):
    raw = tmp_path / "raw"
    obtaining.fetch("kmnist", None, raw, None)
    server.asked.clear()
    (raw / NAMES[1]).write_bytes(b"damaged")
    obtaining.fetch("kmnist", None, raw, None)
    assert set(server.asked) == {NAMES[1]}
    assert (raw / NAMES[1]).read_bytes() == kmnist[NAMES[1]]


def test_digits_are_bundled(tmp_path):
    assert obtaining.fetch("digits", None, tmp_path / "raw", None) == []
    assert manifest_of(tmp_path / "raw")["files"][0]["origin"] == "bundled"
    assert obtaining.verified("digits", tmp_path / "raw") == []


@pytest.mark.parametrize("kind", ["absolute", "working directory", "mirror"])
def test_local_files_are_found_and_stay_where_they_are(tmp_path, monkeypatch, kind):
    write(tmp_path / "place", {"a.npz": b"abc"})
    monkeypatch.chdir(tmp_path / "place" if kind == "working directory" else tmp_path)
    path = str(tmp_path / "place" / "a.npz") if kind == "absolute" else "a.npz"
    mirror = tmp_path / "place" if kind == "mirror" else None
    assert obtaining.fetch("npz", path, tmp_path / "raw", mirror) == [tmp_path / "place" / "a.npz"]
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
        obtaining.fetch("npz", "gone.npz", tmp_path / "raw", tmp_path)


def test_raw_files_of_another_source_are_refused(tmp_path):
    obtaining.fetch("digits", None, tmp_path, None)
    with pytest.raises(DataError, match="names digits, expected mnist"):
        obtaining.verified("mnist", tmp_path)


@pytest.mark.parametrize(
    "text",
    ['{"source": "dig', "[]", '{"source": "npz"}', '{"source": "npz", "files": [{}]}', "[" * 10**6],
)
def test_a_damaged_manifest_counts_as_no_download(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    message = r"names no source, expected npz: .*; delete \S*manifest\.json and run the same"
    with pytest.raises(DataError, match=message):
        obtaining.verified("npz", tmp_path)


@pytest.mark.parametrize(("old", "new"), [("sha256:", "sha257:"), ("ba7816bf8f", "ba7816bf8e")])
def test_a_damaged_checksum_in_a_manifest_is_not_that_of_the_file(tmp_path, old, new):
    write(tmp_path, {"a.npz": b"abc"})
    obtaining.fetch("npz", str(tmp_path / "a.npz"), tmp_path, None)
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace(old, new))
    with pytest.raises(DataError, match=r"a\.npz: expected SHA-256 .*, found ba7816bf"):
        obtaining.verified("npz", tmp_path)


def test_an_official_file_that_changed_is_refused_before_it_is_read(tmp_path, kmnist, server):
    raw = tmp_path / "raw"
    obtaining.fetch("kmnist", None, raw, None)
    (raw / NAMES[0]).write_bytes(b"other")
    expected = f"expected MD5 {md5(kmnist[NAMES[0]])}, found {md5(b'other')}; delete"
    with pytest.raises(DataError, match=expected):
        obtaining.verified("kmnist", raw)
    (raw / NAMES[0]).unlink()
    again = r"; delete \S*raw/manifest\.json and run the same"
    with pytest.raises(DataError, match=f"found no such file{again}"):
        obtaining.verified("kmnist", raw)


def test_a_local_folder_that_changed_is_refused(tmp_path):
    folder = write(tmp_path / "images", {"a.png": b"a"})
    obtaining.fetch("image_folder", str(folder), tmp_path / "raw", None)
    assert obtaining.verified("image_folder", tmp_path / "raw") == [folder]
    write(folder / "deeper", {"b.png": b"b"})
    with pytest.raises(DataError, match=r"expected SHA-256 .*, found .*; restore it"):
        obtaining.verified("image_folder", tmp_path / "raw")


def test_the_checksum_of_a_folder_sees_names_and_contents(tmp_path):
    folders = {"a": b"1", "b": b"1", "c": b"2"}
    sums = [
        checksums.checksum(write(tmp_path / str(i), {name: content}))
        for i, (name, content) in enumerate(folders.items())
    ]
    assert len(set(sums)) == 3
    assert checksums.checksum(write(tmp_path / "again", {"a": b"1"})) == sums[0]
