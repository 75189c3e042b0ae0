"""The kind of figure that the documentation shows can be added as it stands there."""

import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_kind_of_figure_of_the_documentation_is_drawn_from_a_file_of_its_own(tmp_path):
    section = (ROOT / "docs/extending.md").read_text().split("## A kind of figure")[1]
    (tmp_path / "mine.py").write_text(section.split("```python")[1].split("```")[0])
    code = """
        import pandas as pd
        import mine
        from neuralcodes.figures import drawing, kinds, static

        one = {"epoch": "final", "split": "train", "metric": "weight_norm"}
        one |= {"low": 0.0, "high": 2.0, "n": 3}
        summary = pd.DataFrame([{**one, "width": w, "mean": m} for w, m in ((8, 1.0), (16, 0.5))])
        figure = {"kind": "norms", "x": "width"}
        chart = drawing.chart_of_study(summary, "Mine", figure, ("width",), [])
        assert next(chart.each_panel()).curves[0].y.tolist() == [1.0, 0.5]
        static.draw(chart)
        print(chart.headline)
        print(kinds.question("p", figure, ("width",), "mine"))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout.splitlines() == [
        "Weight norm (train) falls from 1 at width 8 to 0.50 at width 16.",
        "How large do weights become on mine with the width of the network?",
    ], done.stderr
