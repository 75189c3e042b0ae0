import base64
import gzip
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from neuralcodes.errors import DataError
from neuralcodes.report import payloads


def opened(text):
    return gzip.decompress(base64.b64decode(text))


@given(st.binary(max_size=200))
def test_bytes_come_back_and_the_same_bytes_give_the_same_text(content):
    assert opened(payloads.packed(content)) == content
    assert payloads.packed(content) == payloads.packed(content)


@given(st.text(max_size=50))
def test_no_text_can_end_the_element_that_holds_it(text):
    assert not {"<", ">", "&", '"'} & set(payloads.packed_json({"text": text + "</script>"}))


def test_json_comes_back():
    content = {"a": [1.5, None, "\u03c1", True], "b": {"c": []}}
    assert json.loads(opened(payloads.packed_json(content))) == content


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_not_json_are_refused(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        payloads.packed_json([value])


def test_a_file_comes_back(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"a,b\n1,2\n")
    assert opened(payloads.packed_file(tmp_path / "table.csv")) == b"a,b\n1,2\n"


def test_an_image_looks_the_same_and_is_smaller(tmp_path):
    drawn = Image.new("RGB", (400, 200), "white")
    pen = ImageDraw.Draw(drawn)
    for step in range(40):
        pen.line((0, 5 * step, 399, 199 - 5 * step), fill=(91, 42, 6 * step), width=2)
    drawn.save(tmp_path / "figure.png")
    address, width, height = payloads.image(tmp_path / "figure.png")
    kind, _, content = address.partition(",")
    assert (kind, width, height) == ("data:image/webp;base64", 400, 200)
    stored = base64.b64decode(content)
    assert len(stored) < (tmp_path / "figure.png").stat().st_size
    shown = Image.open(io.BytesIO(stored)).convert("RGB")
    assert shown.size == drawn.size
    apart = np.abs(np.asarray(drawn, dtype=int) - np.asarray(shown, dtype=int))
    assert apart.max() <= 8


@pytest.mark.parametrize("read", [payloads.packed_file, payloads.image, payloads.read])
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(DataError, match=r"none\.png cannot be read \(No such file"):
        read(tmp_path / "none.png")


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / "figure.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"figure\.png is not an image"):
        payloads.image(tmp_path / "figure.png")
