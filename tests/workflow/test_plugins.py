"""A module of the user's own takes part in the workflow without an edit of the library."""

import csv

import pytest

PLUGIN = """
import numpy as np

from neuralcodes.metrics import registry
from neuralcodes.metrics.declaration import Look, Metric


def _activity(splits):
    for name, packed in (("train", splits.train), ("test", splits.test)):
        yield name, np.bitwise_count(packed).sum() / (len(packed) * splits.units)


registry.register(
    Metric(
        name="activity",
        measure=_activity,
        splits=("train", "test"),
        better=None,
        look=Look("Share of active units"),
    )
)
"""
TABLE = "results/tiny/tables/widths.csv"
CHOSEN = (
    *(TABLE, "--config", "plugins=[mine]"),
    "metrics={names: [activity, redundancy_ratio, knn_accuracy]}",
    "studies={widths: {seeds: 1, checkpoints: [final], factors: {width: [2]}, "
    "figure: {x: width, line: null}}}",
)

pytestmark = pytest.mark.workflow


def test_a_metric_of_a_plugin_is_measured_and_an_edit_of_it_reruns_what_uses_it(fresh):
    project = fresh
    (project.folder / "mine.py").write_text(PLUGIN)
    measured = ["measure_codes mlp1x2 seeds0-0 epochfinal", "tabulate_study widths"]
    assert {*measured} <= {*project.run(*CHOSEN)}
    with (project.folder / TABLE).open(newline="") as table:
        values = {row["split"]: row for row in csv.DictReader(table) if row["metric"] == "activity"}
    assert values.keys() == {"train", "test"}
    assert all(0 < float(row["value"]) < 1 for row in values.values())
    assert project.planned(*CHOSEN) == []
    project.edit("mine.py", lambda text: text.replace("Share", "Part"))
    assert project.planned(*CHOSEN) == [], "a look is measured by nobody"
    project.edit("mine.py", lambda text: text.replace("splits.units)", "splits.units + 1)"))
    assert project.planned(*CHOSEN) == measured
