import re
from pathlib import Path

import pytest

from neuralcodes.errors import DataError
from neuralcodes.papers import defects

PROJECT = Path(__file__).parents[2]
FIDELITY = PROJECT / "docs/fidelity.md"
MENTIONING = (FIDELITY, PROJECT / "resources/published/README.md")
TABLE = """# Title

Some prose about (A1).

| Id | Published | Here | What it changes in the numbers |
|---|:---|---:|---|
| A1 | seeds `none` | *one* each | none |
| A2 | a | b | c |

| Another | table |
|---|---|
| x | y |

| Id | Published | Here | What it changes in the numbers |
|---|---|---|---|
| B1 | a \\| b | b | c |
"""


def read(folder, text):
    path = folder / "list.md"
    path.write_text(text, encoding="utf-8")
    return defects.read(path)


def test_rows_become_defects_in_their_order(tmp_path):
    first, second, third = read(tmp_path, TABLE)
    assert first == defects.Defect("A1", "he2021", "seeds `none`", "*one* each", "none")
    assert second.id == "A2"
    assert (third.id, third.paper, third.published) == ("B1", "oursland2024", "a | b")


def test_every_defect_of_both_papers_is_listed():
    found = defects.read(FIDELITY)
    assert [each.id for each in found if each.paper == "he2021"] == [
        f"A{number}" for number in range(1, 21)
    ]
    assert [each.id for each in found if each.paper == "oursland2024"] == [
        f"B{number}" for number in range(1, 15)
    ]


def test_no_two_defects_are_described_alike():
    found = defects.read(FIDELITY)
    assert len({each.published for each in found}) == len(found)
    assert len({each.effect for each in found}) == len(found)


@pytest.mark.parametrize("path", MENTIONING, ids=[path.name for path in MENTIONING])
def test_every_id_that_is_mentioned_is_defined(path):
    defined = {each.id for each in defects.read(FIDELITY)}
    mentioned = set(re.findall(r"(?<![\w.])[AB][0-9]+(?![\w.]*\d)", path.read_text()))
    assert mentioned <= defined
    if path == FIDELITY:
        assert mentioned == defined


def test_texts_of_the_list_use_only_what_is_set_as_html():
    for each in defects.read(FIDELITY):
        for text in (each.published, each.here, each.effect):
            plain = re.sub(r"<code>[^<]*</code>|<em>[^<]*</em>", "", defects.html(text))
            assert "`" not in plain
            assert "](" not in plain
            assert "**" not in plain
            assert not re.search(r"(?<!\w)_\w[^_]*_(?!\w)", plain)


def test_missing_document_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.md.*cannot be read"):
        defects.read(tmp_path / "nowhere.md")


def test_document_that_is_no_text_is_named(tmp_path):
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe| A1")
    with pytest.raises(DataError, match=r"bytes\.md.*cannot be read"):
        defects.read(tmp_path / "bytes.md")


def test_document_without_a_table_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"list\.md has no table of defects"):
        read(tmp_path, "# Title\n\nNothing else.\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("| A2 | a | b | c |", "| A2 | a | b |", "line 8: .* 4 filled cells .* found 3 cells"),
        ("| A2 | a | b | c |", "| A2 | a | b | c | d |", "line 8: .* found 5 cells"),
        ("| A2 | a | b | c |", "| A2 | a |  | c |", "line 8: .* found 4 cells, 3 of them filled"),
        ("| A2 | a | b | c |", "| A2 | a | b | |", "line 8: .* found 4 cells, 3 of them filled"),
        ("| A2 | a | b | c |", "| A2 | `|x|` | b | c |", "line 8: .* found 6 cells"),
        ("| A2 | a | b | c |", "| A1 | a | b | c |", "line 8: A1 stands there twice"),
        ("| A2 | a | b | c |", "| A3 | a | b | c |", "line 8: A3 is out of order, A2 comes next"),
        ("| A2 | a | b | c |", "| C1 | a | b | c |", "line 8: 'C1' is no id of a defect"),
        ("| A2 | a | b | c |", "| a2 | a | b | c |", "line 8: 'a2' is no id of a defect"),
        ("| A2 | a | b | c |", "| A02 | a | b | c |", "line 8: 'A02' is no id of a defect"),
        ("| x | y |", "| A3 | y |", "line 12: A3 stands in no table of defects"),
        ("| Id | Published | Here |", "| Id | Paper | Here |", "line 7: A1 stands in no table"),
    ],
)
def test_malformed_row_is_named_with_its_line(tmp_path, old, new, message):
    with pytest.raises(DataError, match=rf"list\.md, {message}"):
        read(tmp_path, TABLE.replace(old, new, 1))


def test_blank_line_ends_a_table(tmp_path):
    broken = TABLE.replace("| A2 |", "\n| A2 |")
    with pytest.raises(DataError, match="line 9: A2 stands in no table of defects"):
        read(tmp_path, broken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("the `seed` is *one*", "the <code>seed</code> is <em>one</em>"),
        ("`a * b * c` and `*x*`", "<code>a * b * c</code> and <code>*x*</code>"),
        ("2 * 3 * 4, a*b*c", "2 * 3 * 4, a*b*c"),
        ("one ` alone, one * too", "one ` alone, one * too"),
        ("*one `two` three*", "*one <code>two</code> three*"),
        ("p < 0.05 & t > 2", "p &lt; 0.05 &amp; t &gt; 2"),
    ],
)
def test_html_sets_code_and_emphasis(text, expected):
    assert defects.html(text) == expected


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "`<img src=x onerror=alert(1)>`",
        "*<b onclick='x'>*",
        "`</code><script>` *</em><script>*",
        '[x](javascript:alert(1)) " onmouseover="alert(1)',
        "&lt;script&gt; &#60;script>",
    ],
)
def test_html_escapes_everything_else(hostile):
    made = defects.html(hostile)
    without = re.sub(r"</?(code|em)>", "", made)
    assert not set("<>\"'") & set(without)
    # escaped once more, nothing that was escaped in the text comes to life
    assert "&lt;script" not in hostile or "&amp;lt;script" in made


def test_html_is_taken_for_safe_by_templates():
    assert defects.html("*a*").__html__() == "<em>a</em>"
