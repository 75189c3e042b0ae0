"""The numbers of the finished project are those recorded when the library was one flat folder."""

from pathlib import Path

import numpy as np
import pandas as pd

GOLDEN = Path(__file__).with_name("golden_summaries.csv.gz")
VALUES = ["mean", "std", "low", "high"]
OF_THE_MACHINE = ("queries_per_second",)


def test_every_summary_is_the_recorded_one(finished):
    """Equal but for what another processor may round otherwise."""
    golden = pd.read_csv(GOLDEN, dtype=str, keep_default_na=False)
    tables = finished.folder / "results/tiny/tables"
    for study, recorded in golden.groupby("study"):
        ours = pd.read_csv(tables / f"{study}.summary.csv", dtype=str, keep_default_na=False)
        recorded = recorded[ours.columns].reset_index(drop=True)
        keys = [name for name in ours.columns if name not in VALUES]
        pd.testing.assert_frame_equal(ours[keys], recorded[keys])
        compared = ~ours["metric"].isin(OF_THE_MACHINE)
        for name in VALUES:
            pair = [pd.to_numeric(table.loc[compared, name]) for table in (ours, recorded)]
            np.testing.assert_allclose(*pair, rtol=1e-4, atol=1e-6, err_msg=f"{study}: {name}")
