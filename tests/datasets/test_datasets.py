"""Prepared datasets: what is written, what is loaded, what is refused."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from source_cases import encoded, write

from neuralcodes.datasets import prepared as datasets
from neuralcodes.datasets.prepared import DatasetSpec
from neuralcodes.errors import DataError
from neuralcodes.storage import checksums

FILES = ["dataset.json", *(f"{s}-{k}.npy" for s in ("test", "train") for k in ("inputs", "labels"))]


def prepared(tmp_path, spec, name="prepared"):
    raw, directory = tmp_path / f"raw-{name}", tmp_path / name
    datasets.fetch(spec, raw, None)
    datasets.prepare(spec, raw, directory)
    return directory


def splits(directory):
    return {
        split: datasets.load(directory.name, directory.parent, split) for split in ("train", "test")
    }


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("digits"), DatasetSpec("digits", "digits"), "digits")


# ---------------------------------------------------------------- digits and the files


def test_digits_are_split_once_and_for_all(digits):
    (train, train_labels), (test, test_labels) = splits(digits).values()
    assert (train.shape, test.shape) == ((1437, 8, 8, 1), (360, 8, 8, 1))
    assert (train.dtype, train_labels.dtype) == (np.uint8, np.int64)
    assert train.max() == test.max() == 16
    assert train_labels[:10].tolist() == [3, 9, 1, 3, 1, 9, 4, 4, 2, 8]
    # a fifth of the 174 to 183 examples of each class
    assert set(np.bincount(test_labels)) <= {35, 36, 37}


def test_digits_lose_and_repeat_no_example(digits):
    ours = np.concatenate([inputs.reshape(-1, 64) for inputs, _ in splits(digits).values()])
    labels = np.concatenate([labels for _, labels in splits(digits).values()])
    ours = np.column_stack([ours, labels])
    theirs = np.column_stack(load_digits(return_X_y=True)).astype(np.int64)
    np.testing.assert_array_equal(np.sort(ours.view(), axis=0), np.sort(theirs, axis=0))
    assert {row.tobytes() for row in ours} == {row.tobytes() for row in theirs}


def test_preparing_twice_writes_the_same_bytes(tmp_path, digits):
    again = prepared(tmp_path, DatasetSpec("digits", "digits"), "digits")
    for name in FILES:
        assert (again / name).read_bytes() == (digits / name).read_bytes()


def test_dataset_json_describes_the_files(digits):
    content = json.loads((digits / "dataset.json").read_text())
    assert content["name"] == content["source"] == "digits"
    assert content["classes"] == [str(digit) for digit in range(10)]
    assert content["maximum"] == 16
    assert content["shapes"]["test-inputs"] == [360, 8, 8, 1]
    for stem, checksum in content["checksums"].items():
        assert hashlib.sha256((digits / f"{stem}.npy").read_bytes()).hexdigest() == checksum
    info = datasets.describe(digits)
    assert (info.examples, info.shape, info.features) == (
        {"train": 1437, "test": 360},
        (8, 8, 1),
        64,
    )


def test_only_the_five_files_are_written(digits):
    assert sorted(path.name for path in digits.iterdir()) == FILES


def test_an_interrupted_preparation_leaves_nothing_that_counts_as_done(tmp_path, monkeypatch):
    spec = DatasetSpec("digits", "digits")
    directory = prepared(tmp_path, spec)
    save, calls = np.save, []

    def save_twice(file, array, **options):
        calls.append(array.shape)
        if len(calls) == 3:
            file.write(b"half")
            raise KeyboardInterrupt
        save(file, array, **options)

    monkeypatch.setattr(np, "save", save_twice)
    with pytest.raises(KeyboardInterrupt):
        datasets.prepare(spec, tmp_path / "raw-prepared", directory)
    assert sorted(p.name for p in directory.iterdir()) == FILES[1:]


def test_preparing_what_was_not_fetched_is_refused(tmp_path):
    with pytest.raises(DataError, match="the download is not complete"):
        datasets.prepare(DatasetSpec("digits", "digits"), tmp_path, tmp_path / "digits")


@pytest.mark.parametrize(
    ("source", "path", "message"),
    [
        ("imagenet", None, "source imagenet is none of digits, mnist, fashion_mnist"),
        ("npz", None, "source npz needs a path: add it"),
        ("image_folder", None, "needs a path"),
        ("mnist", "a.npz", "source mnist takes no path: remove it"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(source, path, message):
    with pytest.raises(DataError, match=message):
        DatasetSpec("mine", source, path)


# ---------------------------------------------------------------- load


def test_load_prepares_digits_where_they_are_missing(tmp_path):
    inputs, labels = datasets.load("digits", tmp_path, "test")
    assert len(inputs) == len(labels) == 360
    assert datasets.load("digits", str(tmp_path), "train")[0].shape == (1437, 8, 8, 1)


def test_inputs_are_memory_mapped_and_cannot_be_changed(digits):
    inputs, _ = datasets.load("digits", digits.parent, "train")
    assert isinstance(inputs, np.memmap)
    assert not inputs.flags.writeable


@pytest.mark.parametrize("name", ["mine", "npz", "image_folder"])
def test_load_says_what_to_do_about_a_dataset_that_was_not_prepared(tmp_path, name):
    with pytest.raises(DataError, match=rf"{name} holds no prepared dataset; prepare it with"):
        datasets.load(name, tmp_path, "train")


def test_load_refuses_other_splits(digits):
    with pytest.raises(ValueError, match="split must be train or test; got 'validation'"):
        datasets.load("digits", digits.parent, "validation")


def copy_of(digits, tmp_path):
    (tmp_path / "digits").mkdir()
    for name in FILES:
        (tmp_path / "digits" / name).write_bytes((digits / name).read_bytes())
    return tmp_path / "digits"


@pytest.mark.parametrize("kept", [0, 60, 5000, -1])
@pytest.mark.parametrize("kind", ["inputs", "labels"])
def test_a_truncated_file_is_named_with_what_to_delete(digits, tmp_path, kept, kind):
    file = copy_of(digits, tmp_path) / f"train-{kind}.npy"
    file.write_bytes(file.read_bytes()[:kept])
    command = r"; delete \S*digits/dataset\.json and run the same"
    with pytest.raises(DataError, match=command) as error:
        datasets.load("digits", tmp_path, "train")
    assert f"{file} is damaged: expected SHA-256" in str(error.value)


def test_what_load_prepared_itself_is_rebuilt_by_load(tmp_path):
    inputs, _ = datasets.load("digits", tmp_path, "test")
    before = np.array(inputs)
    file = tmp_path / "digits" / "test-inputs.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    with pytest.raises(DataError, match=r"delete \S*digits/dataset\.json, and datasets\.load"):
        datasets.load("digits", tmp_path, "test")
    (tmp_path / "digits" / "dataset.json").unlink()
    np.testing.assert_array_equal(datasets.load("digits", tmp_path, "test")[0], before)


def sealed(directory):
    """Make the checksums of a prepared dataset those of its files as they are now."""
    path = directory / "dataset.json"
    content = json.loads(path.read_text())
    del content["checksum"]
    for stem in content["checksums"]:
        content["checksums"][stem] = checksums.checksum(directory / f"{stem}.npy")
    content["checksum"] = checksums.checksum_of(content)
    path.write_text(json.dumps(content, indent=2) + "\n")


def test_a_shorter_file_is_named_with_both_shapes(digits, tmp_path):
    file = copy_of(digits, tmp_path) / "test-labels.npy"
    np.save(file, np.zeros(359, dtype=np.int64))
    sealed(file.parent)
    with pytest.raises(DataError, match=r"expected an array of shape \(360,\), found .*\(359,\)"):
        datasets.load("digits", tmp_path, "test")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "digits"}', "[" * 10**6, "\0"])
def test_a_damaged_dataset_json_is_named(digits, tmp_path, content):
    directory = copy_of(digits, tmp_path)
    (directory / "dataset.json").write_text(content)
    with pytest.raises(DataError, match=r"dataset\.json is missing or damaged"):
        datasets.load("digits", tmp_path, "test")


def test_describe_names_a_missing_dataset(tmp_path):
    with pytest.raises(DataError, match=r"dataset\.json is missing or damaged"):
        datasets.describe(tmp_path)


def test_labels_are_loaded_without_the_inputs(digits, tmp_path):
    directory = copy_of(digits, tmp_path)
    for split, (_, labels) in splits(digits).items():
        (directory / f"{split}-inputs.npy").unlink()
        found = datasets.load_labels(directory, split)
        np.testing.assert_array_equal(found, labels)
        assert found.dtype == np.int64
    with pytest.raises(ValueError, match="split must be train or test; got 'validation'"):
        datasets.load_labels(directory, "validation")


# ---------------------------------------------------------------- features


def test_features_are_flat_and_scaled():
    inputs = np.array([[[[0], [51]], [[102], [255]]]], dtype=np.uint8)
    features = datasets.features(inputs, 255)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, [[0, 0.2, 0.4, 1]], rtol=1e-7)


def test_features_do_not_share_memory_with_their_inputs():
    inputs = np.ones((2, 3), dtype=np.float32)
    datasets.features(inputs, 1)[:] = 7
    assert inputs.max() == 1


@pytest.mark.parametrize(("shape", "maximum"), [((3,), 255), ((3, 2), 0), ((3, 2), float("nan"))])
def test_features_refuse_vectors_and_senseless_maxima(shape, maximum):
    with pytest.raises(
        ValueError, match=f"got shape {re.escape(str(shape))} and maximum {maximum}"
    ):
        datasets.features(np.zeros(shape), maximum)


def test_load_features_divides_by_the_maximum_of_the_dataset(digits):
    features, labels = datasets.load_features(digits, "train")
    assert (type(features), features.shape, features.dtype) == (np.ndarray, (1437, 64), np.float32)
    assert (features.min(), features.max(), len(labels)) == (0, 1, 1437)


def test_load_features_does_not_prepare(tmp_path):
    with pytest.raises(DataError, match="missing or damaged"):
        datasets.load_features(tmp_path / "digits", "train")


def test_loading_imports_neither_torch_nor_its_friends(digits):
    script = (
        "import sys; from neuralcodes.datasets import prepared as datasets;"
        f"datasets.load_features({str(digits)!r}, 'train');"
        "heavy = {'torch', 'torchvision', 'sklearn', 'PIL', 'scipy', 'pandas'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# ---------------------------------------------------------------- image folder


def pixels(index, channels=3):
    array = np.full((2, 3, channels), index, dtype=np.uint8)
    return array[..., 0] if channels == 1 else array


def folder_files(channels=3):
    """Image i of its split is filled with i: 0..19 are cats, 20..39 dogs; the test part from 40."""
    return {
        f"{split}/{label}/{index:04}.png": encoded(pixels(index, channels))
        for split, label, start, end in [
            ("train", "cat", 0, 20),
            ("train", "dog", 20, 40),
            ("test", "cat", 40, 42),
            ("test", "dog", 42, 44),
        ]
        for index in range(start, end)
    }


def write_tar(path, files):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def prepared_images(tmp_path, files, channels=3):
    folder = write(tmp_path / "images", files)
    return prepared(tmp_path, DatasetSpec("mine", "image_folder", str(folder)), "mine")


def test_an_image_folder_keeps_image_and_label_together(tmp_path):
    directory = prepared_images(tmp_path, folder_files())
    (inputs, labels), (test, test_labels) = splits(directory).values()
    assert (inputs.shape, inputs.dtype, test.shape) == ((40, 2, 3, 3), np.uint8, (4, 2, 3, 3))
    first = inputs[:, 0, 0, 0]
    assert sorted(first) == list(range(40))
    np.testing.assert_array_equal(inputs, np.broadcast_to(first[:, None, None, None], inputs.shape))
    np.testing.assert_array_equal(labels, first >= 20)
    np.testing.assert_array_equal(test_labels, test[:, 0, 0, 0] >= 42)
    info = datasets.describe(directory)
    assert (info.classes, info.maximum) == (("cat", "dog"), 255)


def test_an_image_folder_is_not_ordered_class_by_class(tmp_path):
    _, labels = splits(prepared_images(tmp_path, folder_files()))["train"]
    assert 4 <= labels[:16].sum() <= 12
    assert 2 <= labels[-8:].sum() <= 6


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip"])
def test_an_archive_in_any_order_gives_the_same_as_its_folder(tmp_path, name):
    directory = prepared_images(tmp_path, folder_files())
    backwards = dict(reversed(folder_files().items())) | {"notes.txt": b"not an image"}
    path = (write_zip if name == "a.zip" else write_tar)(tmp_path / name, backwards)
    other = prepared(tmp_path, DatasetSpec("mine", "image_folder", str(path)), "other")
    for file in FILES:
        assert (other / file).read_bytes() == (directory / file).read_bytes()


def test_grey_images_have_one_channel(tmp_path):
    directory = prepared_images(tmp_path, folder_files(channels=1))
    inputs, _ = splits(directory)["train"]
    assert inputs.shape == (40, 2, 3, 1)
    assert sorted(inputs[:, 1, 2, 0]) == list(range(40))


def test_jpeg_images_are_read(tmp_path):
    files = {
        name.replace(".png", suffix): encoded(
            np.asarray(Image.open(io.BytesIO(content))), kind="JPEG"
        )
        for (name, content), suffix in zip(
            folder_files().items(), [".jpg", ".JPEG"] * 22, strict=True
        )
    }
    inputs, labels = splits(prepared_images(tmp_path, files))["train"]
    assert np.abs(np.sort(inputs[:, 0, 0, 0]).astype(int) - np.arange(40)).max() <= 2
    assert labels.sum() == 20


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "train/cat/x.png",
            encoded(np.zeros((3, 2, 3), np.uint8)),
            r"\(3, 2, 3\), expected \(2, 3",
        ),
        ("train/cat/x.png", encoded(pixels(1, 1)), r"\(2, 3, 1\), expected \(2, 3, 3\)"),
        (
            "train/cat/x.png",
            encoded(pixels(1), "P"),
            "has mode P, expected L .* or RGB; convert it",
        ),
        ("train/cat/x.png", encoded(pixels(1), "RGBA"), "has mode RGBA"),
        ("train/cat/x.png", encoded(pixels(1))[:-30], "is damaged"),
        ("train/cat/x.png", encoded(pixels(1))[:40], "is damaged"),
        ("train/cat/x.jpg", b"no image", "is damaged"),
        ("train/cat/x.png", encoded(pixels(1), kind="GIF"), "is damaged"),
        ("train/x.png", encoded(pixels(1)), r"is not at \{train,test\}/\{class\}/\{image\}"),
        ("train/cat/deep/x.png", encoded(pixels(1)), "is not at"),
        ("valid/cat/x.png", encoded(pixels(1)), "is not at"),
    ],
)
def test_an_odd_image_is_named(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message) as error:
        prepared_images(tmp_path, folder_files() | {name: content})
    assert name in str(error.value)
    assert not (tmp_path / "mine" / "dataset.json").exists()


def test_both_splits_need_the_same_classes(tmp_path):
    files = {n: c for n, c in folder_files().items() if not n.startswith("test/dog")}
    with pytest.raises(DataError, match=r"found \['cat', 'dog'\] and \['cat'\]; add the missing"):
        prepared_images(tmp_path, files)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"found \[\] and \[\]"):
        prepared_images(tmp_path, {"readme.txt": b"nothing here"})


# ---------------------------------------------------------------- npz


def npz_arrays(**changes):
    arrays = {
        "x_train": np.arange(48, dtype=np.uint8).reshape(4, 4, 3),
        "y_train": np.array([0, 2, 1, 0], dtype=np.uint8),
        "x_test": np.zeros((2, 4, 3), dtype=np.uint8),
        "y_test": np.array([[1], [0]]),
    } | changes
    return {key: array for key, array in arrays.items() if array is not None}


def prepared_npz(tmp_path, arrays, save=np.savez):
    save(tmp_path / "mine.npz", **arrays)
    spec = DatasetSpec("mine", "npz", str(tmp_path / "mine.npz"))
    return prepared(tmp_path, spec, "mine")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_in_the_layout_of_keras_is_read_in_its_own_order(tmp_path, save):
    directory = prepared_npz(tmp_path, npz_arrays(), save)
    (inputs, labels), (_, test_labels) = splits(directory).values()
    np.testing.assert_array_equal(inputs, np.arange(48).reshape(4, 4, 3, 1))
    assert inputs.dtype == np.uint8
    assert (labels.tolist(), labels.dtype) == ([0, 2, 1, 0], np.int64)
    assert test_labels.tolist() == [1, 0]
    info = datasets.describe(directory)
    assert (info.classes, info.maximum, info.shape) == (("0", "1", "2"), 255, (4, 3, 1))


def test_an_npz_of_colour_images_keeps_its_channels(tmp_path):
    images = {f"x_{s}": np.zeros((n, 4, 3, 3), np.uint8) for s, n in [("train", 4), ("test", 2)]}
    assert datasets.describe(prepared_npz(tmp_path, npz_arrays(**images))).shape == (4, 3, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_npz_of_features_becomes_float32_and_is_not_rescaled(tmp_path, dtype):
    train = np.array([[-1.5], [0.1], [2], [300]], dtype=dtype)
    directory = prepared_npz(tmp_path, npz_arrays(x_train=train, x_test=train[:2]))
    features, _ = datasets.load_features(directory, "train")
    np.testing.assert_array_equal(features, train.astype(np.float32))
    assert datasets.describe(directory).maximum == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, "expected an .npz file of .* found KeyError: .*x_test"),
        ({"y_train": np.array([0, 1])}, r"y_train is int64 of shape \(2,\) .* each of the 4"),
        ({"y_test": np.zeros((2, 2), int)}, r"y_test is int64 of shape \(2, 2\)"),
        ({"y_test": np.array([0.0, 1.0])}, "y_test is float64"),
        (
            {"y_test": np.array([-1, 1])},
            r"y_test .* with -1\.\.1, expected one integer of 0\.\.65535",
        ),
        ({"y_test": np.array([0, 65_536])}, r"with 0\.\.65536"),
        (
            {"x_train": np.zeros((4, 12), np.uint8)},
            r"x_train is uint8 of shape \(4, 12\), expected",
        ),
        ({"x_train": np.zeros((4, 4, 3))}, r"x_train is float64 of shape \(4, 4, 3\)"),
        ({"x_train": np.array(3.0)}, r"x_train is float64 of shape \(\)"),
        ({"x_test": np.zeros((0, 4, 3), np.uint8)}, "x_test is uint8 .* not empty"),
        ({"x_test": np.zeros((2, 5, 3), np.uint8)}, r"\(4, 3, 1\), of x_test uint8 \(5, 3, 1\)"),
        ({"x_test": np.zeros((2, 12))}, r"x_train are uint8 \(4, 3, 1\), of x_test float32"),
        ({"x_train": np.array([[0.0], [1], [np.nan], [1]])}, "x_train has NaN"),
        ({"x_train": np.array([[0.0], [1], [1e300], [1]])}, "infinite in float32"),
    ],
)
def test_an_npz_that_is_not_as_it_should_be_is_refused(tmp_path, changes, message):
    with pytest.raises(DataError, match=message) as error:
        prepared_npz(tmp_path, npz_arrays(**changes))
    assert "mine.npz" in str(error.value)


@pytest.mark.parametrize("kind", ["cut", "empty", "npy", "text"])
def test_a_damaged_npz_is_named(tmp_path, kind):
    path = tmp_path / "mine.npz"
    np.savez(path, **npz_arrays())
    content = path.read_bytes()
    npy = io.BytesIO()
    np.save(npy, np.zeros(3))
    texts = {"cut": content[:-100], "empty": b"", "npy": npy.getvalue(), "text": b"hello"}
    path.write_bytes(texts[kind])
    with pytest.raises(DataError, match=r"mine\.npz: expected an \.npz file of x_train, y_train"):
        prepared(tmp_path, DatasetSpec("mine", "npz", str(path)))


# ---------------------------------------------------------------- real files


@pytest.fixture
def mirror():
    if not os.environ.get("NEURALCODES_DATA_MIRROR"):
        pytest.skip("NEURALCODES_DATA_MIRROR is not set")
    return datasets.mirror_from_environment()


@pytest.mark.mirror
def test_the_real_mnist_is_mnist(tmp_path, mirror):
    inputs, labels = datasets.load("mnist", tmp_path, "train")
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert inputs.shape == (60_000, 28, 28, 1)
    assert inputs.mean() == pytest.approx(33.318, abs=0.001)
    assert datasets.describe(tmp_path / "mnist").examples == {"train": 60_000, "test": 10_000}


@pytest.mark.mirror
def test_the_real_images_of_cifar10_are_read(tmp_path, mirror):
    if not (mirror / "cifar10-jpeg.tar.gz").is_file():
        pytest.skip("the mirror has no cifar10-jpeg.tar.gz")
    spec = DatasetSpec("cifar10-jpeg", "image_folder", "cifar10-jpeg.tar.gz")
    datasets.fetch(spec, tmp_path / "raw", mirror)
    datasets.prepare(spec, tmp_path / "raw", tmp_path / "cifar10-jpeg")
    info = datasets.describe(tmp_path / "cifar10-jpeg")
    assert (info.examples, info.shape) == ({"train": 50_000, "test": 10_000}, (32, 32, 3))
    assert info.classes[:3] == ("airplane", "automobile", "bird")
    _, labels = datasets.load("cifar10-jpeg", tmp_path, "train")
    assert np.bincount(labels).tolist() == [5000] * 10
    assert np.bincount(labels[:1000], minlength=10).min() > 60
