"""Every source of data, and what all of them have in common."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from source_cases import OFFICIAL, official, write

from neuralcodes.datasets import obtaining, prepared, sources, torchvision_ops
from neuralcodes.datasets.prepared import DatasetSpec
from neuralcodes.datasets.sources.declaration import Decoded, Source
from neuralcodes.errors import DataError
from neuralcodes.studies.expansion import GENERATED

ROOT = Path(__file__).parents[2]
CLASSES = {
    "mnist": "0 - zero",
    "fashion_mnist": "T-shirt/top",
    "kmnist": "o",
    "cifar10": "cat",
    "cifar100": "cat",
    "svhn": "0",
}


@pytest.fixture
def registry(monkeypatch):
    """What a test registers is gone afterwards."""
    monkeypatch.setattr(sources, "_SOURCES", dict(sources._SOURCES))


def test_the_configuration_allows_the_declared_sources():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    allowed = schema["$defs"]["dataset"]["properties"]["source"]["enum"]
    assert allowed == [*sources.SOURCES, GENERATED]
    assert sources.names()[: len(allowed) - 1] == sources.SOURCES
    assert [name for name in sources.names() if sources.get(name).files] == list(OFFICIAL)
    own = [name for name in sources.names() if sources.get(name).needs_path]
    assert own == ["image_folder", "npz"]


@pytest.mark.parametrize("source", OFFICIAL)
def test_every_official_source_has_addresses_and_checksums(source):
    files = sources.get(source).files()
    assert len(files) == {"svhn": 2, "cifar10": 1, "cifar100": 1}.get(source, 4)
    for file in files:
        assert len(file.md5) == 32
        assert all(url.startswith("http") and url.endswith(file.name) for url in file.urls)


@pytest.mark.parametrize("source", OFFICIAL)
def test_official_files_become_prepared_arrays(tmp_path, monkeypatch, source):
    files, expected = official(source, monkeypatch)
    write(tmp_path / "mirror", files)
    monkeypatch.setenv("NEURALCODES_DATA_MIRROR", str(tmp_path / "mirror"))
    for split, (images, classes) in expected.items():
        inputs, labels = prepared.load(source, tmp_path / "data", split)
        np.testing.assert_array_equal(inputs, images)
        np.testing.assert_array_equal(labels, classes)
        assert (inputs.dtype, labels.dtype) == (np.uint8, np.int64)
    info = prepared.describe(tmp_path / "data" / source)
    assert (info.source, info.maximum, info.classes[0]) == (source, 255, CLASSES[source])


@pytest.mark.parametrize("source", OFFICIAL)
def test_a_damaged_official_file_is_refused_before_it_is_read(tmp_path, monkeypatch, source):
    files, _ = official(source, monkeypatch)
    spec, raw = DatasetSpec(source, source), tmp_path / "raw"
    prepared.fetch(spec, raw, write(tmp_path / "mirror", files))
    monkeypatch.setitem(
        sources._SOURCES, source, dataclasses.replace(sources.get(source), decode=pytest.fail)
    )
    for name, content in files.items():
        (raw / name).write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        with pytest.raises(DataError, match=rf"{name}: expected MD5 .*, found"):
            prepared.prepare(spec, raw, tmp_path / "prepared")
        (raw / name).write_bytes(content)


@pytest.mark.parametrize("source", OFFICIAL)
def test_files_come_from_the_mirror_in_each_layout(tmp_path, monkeypatch, source):
    files, _ = official(source, monkeypatch)
    for layout in ("", *sources.get(source).folders):
        mirror, raw = tmp_path / "mirrors" / layout.replace("/", "-"), tmp_path / "raw"
        write(mirror / layout, files)
        found = obtaining.fetch(source, None, raw, mirror)
        assert found == [raw / name for name in files]
        assert all(path.read_bytes() == files[path.name] for path in found)


def test_sizes_are_those_of_the_real_training_files(tmp_path):
    known = {name: sources.get(name).training_examples for name in sources.names()}
    assert known.pop("digits") == len(prepared.load_labels(_digits(tmp_path), "train"))
    assert known == {
        **{"mnist": 60_000, "fashion_mnist": 60_000, "kmnist": 60_000},
        **{"cifar10": 50_000, "cifar100": 50_000, "svhn": 73_257},
        **{"image_folder": None, "npz": None},
    }


def _digits(folder):
    prepared.load("digits", folder, "train")
    return folder / "digits"


def test_a_source_of_ones_own_is_prepared_like_any_other(registry, tmp_path):
    inputs, labels = np.array([[0.5], [2.0]], np.float32), np.array([0, 1])
    arrays = {split: (inputs, labels) for split in ("train", "test")}
    mine = Source("mine", lambda files: Decoded(arrays, ("low", "high"), 2), label="Mine")
    sources.register(mine)
    sources.register(mine)
    with pytest.raises(ValueError, match="a source of data mine already"):
        sources.register(dataclasses.replace(mine, label="Yours"))
    found, _ = prepared.load("mine", tmp_path, "test")
    np.testing.assert_array_equal(found, inputs)
    assert prepared.describe(tmp_path / "mine").classes == ("low", "high")


def test_an_unknown_source_is_refused_with_those_there_are():
    with pytest.raises(DataError, match=r"source imagenet is none of digits, mnist"):
        sources.get("imagenet")


def test_the_declarations_are_read_without_torch_and_its_friends():
    script = (
        "import sys; from neuralcodes.datasets import sources;"
        "heavy = {'torch', 'torchvision', 'sklearn', 'PIL', 'scipy', 'pandas'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_importing_torchvision_twice_gives_the_same_module():
    module = torchvision_ops.import_torchvision()
    assert torchvision_ops.import_torchvision() is module is sys.modules["torchvision"]
    assert issubclass(module.datasets.KMNIST, module.datasets.MNIST)


def test_operators_that_are_there_already_are_left_alone():
    script = (
        "import torch; from neuralcodes.datasets import torchvision_ops as ops;"
        "mine = torch.library.Library('torchvision', 'DEF');"
        "[mine.define(schema) for schema in ops._SCHEMAS];"
        "assert ops.import_torchvision().datasets and ops._library is None"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
