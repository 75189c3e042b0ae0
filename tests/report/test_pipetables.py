import pandas as pd
import pytest

from neuralcodes.errors import DataError
from neuralcodes.report import pipetables, sheets
from neuralcodes.report.sheets import Sheet


def test_what_sheets_print_is_read_back(tmp_path):
    grid = pd.DataFrame(
        [["a|b", "1.00 ± 0.10"], ["*no emphasis* <b>", "2.00"], ["back\\slash `x`", "\u2013"]],
        columns=pd.MultiIndex.from_tuples([("", "condition"), ("abs", "*t* (%)")]),
    )
    sheet = Sheet(pd.DataFrame(), (), "Title | with *signs*", "A note <of> one line.")
    path = tmp_path / "table.md"
    path.write_text(sheets.markdown(sheet, grid))
    table = pipetables.read(path)
    assert table.title == "Title | with *signs*"
    assert table.note == "A note <of> one line."
    assert table.heads == ("condition", "abs: t (%)")
    assert table.rows == (
        ("a|b", "1.00 ± 0.10"),
        ("*no emphasis* <b>", "2.00"),
        ("back\\slash `x`", "\u2013"),
    )
    assert table.numeric == (False, True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "is not a printed table"),
        ("## only a title\n\nnote\n", "is not a printed table"),
        ("title\n\nnote\n\n| a |\n|:--|\n| 1 |\n", "is not a printed table"),
        ("## title\n\nnote\n\n| a | b |\n|:--|--:|\n| 1 |\n", "rows of different lengths"),
    ],
)
def test_other_files_are_refused(tmp_path, text, found):
    (tmp_path / "table.md").write_text(text)
    with pytest.raises(DataError, match=rf"table\.md {found}|table\.md has {found}"):
        pipetables.read(tmp_path / "table.md")
