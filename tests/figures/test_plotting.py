import subprocess
import sys
import xml.etree.ElementTree

import matplotlib
import pytest
from figure_cases import PUBLISHED, STYLE, point, summary_of
from PIL import Image

from neuralcodes.errors import DataError
from neuralcodes.figures import plotting
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.papers import published


def test_unknown_kinds_and_options_are_refused():
    with pytest.raises(ValueError, match=r"unknown figure kind 'pie'.*curves"):
        plotting.draw(FigureSpec("pie"), summary_of([point()]))
    with pytest.raises(ValueError, match=r"curves has no options \['colour'\]"):
        plotting.draw(FigureSpec("curves", options={"colour": "red"}), summary_of([point()]))


def test_saved_files_are_valid_and_the_same_bytes_every_time(tmp_path):
    summary = summary_of([point(width) for width in (10, 40, 100)])
    values = published.he2021("model_capacity", "mnist", PUBLISHED)
    spec = FigureSpec("curves", "MNIST (3 seeds)", "width")
    first = plotting.save(plotting.draw(spec, summary, values), tmp_path / "a" / "v1.2")
    again = plotting.save(plotting.draw(spec, summary, values), tmp_path / "b" / "v1.2")
    assert [path.name for path in first] == ["v1.2.pdf", "v1.2.png", "v1.2.svg"]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    pdf, png, svg = first
    assert pdf.read_bytes().startswith(b"%PDF")
    assert b"/FontFile2" in pdf.read_bytes()
    assert b"CreationDate" not in pdf.read_bytes()
    with Image.open(png) as image:
        image.verify()
        assert image.info["dpi"][0] == pytest.approx(200, abs=0.1)
        assert image.size[0] == 1380
    assert xml.etree.ElementTree.parse(svg).getroot().tag.endswith("svg")


def test_every_kind_has_a_function_and_a_list_of_options():
    assert plotting.FIGURES.keys() == plotting.OPTIONS.keys()


def test_the_style_replaces_the_settings_of_the_user():
    matplotlib.rcParams["font.size"] = 30
    plotting.use_style(STYLE)
    assert matplotlib.rcParams["font.size"] == 7
    assert matplotlib.rcParams["pdf.fonttype"] == 42


def test_a_missing_style_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.mplstyle does not exist"):
        plotting.use_style(tmp_path / "none.mplstyle")


def test_plotting_imports_neither_torch_nor_snakemake_nor_pyplot():
    code = (
        "import sys; import neuralcodes.figures.plotting;"
        "import neuralcodes.studies.tables, neuralcodes.papers.published;"
        "found = {'torch', 'snakemake', 'matplotlib.pyplot', 'sklearn'} & set(sys.modules);"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
