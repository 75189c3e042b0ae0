"""Figure kind of retrieval: how often, how fast and in how little space codes find neighbours."""

from dataclasses import dataclass

import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, manifoldlooks, marks, panels
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Curve, Guide, Panel
from neuralcodes.figures.scales import Axis

METHODS = {
    "network_code": ("code of the trained network", Style("#0b4f8a", "o", "-")),
    "simhash": ("SimHash of the input", Style("#d1603d", "s", "--")),
}
EXACT = "exact"
EXACT_LOOK = {"color": "0.5", "linewidth": 1.2, "linestyle": "-"}
# Where both methods are equal, as in bytes, both still show.
MARKER_SIZES = {METHODS["network_code"][0]: 4.6, METHODS["simhash"][0]: 2.3}
METRICS = ("recall_at_1", "recall_at_10", "queries_per_second", "bytes_per_item")
MEASURED = (*METRICS, "code_length")
LOG_METRICS = ("queries_per_second", "bytes_per_item")
CODE_LENGTH = "Code length (bits)"


@dataclass(frozen=True)
class BitsAxis(Axis):
    """An axis of numbers of bits, with a tick at each of them, a doubling apart."""

    def apply(self, axes: Axes, *, labelled: bool = True) -> None:
        """Give matplotlib axes this scale, its ticks and, if `labelled`, its label."""
        if labelled:
            axes.set_xlabel(self.label)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(ticker.FixedLocator([float(v) for v in self.levels]))
        labels = [marks.value_label(value) for value in self.levels]
        axes.xaxis.set_major_formatter(ticker.FixedFormatter(labels))
        axes.xaxis.set_minor_locator(ticker.NullLocator())


def draw_retrieval(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Recall, speed and size of an index of codes against their length, a line per method.

    Exact search has no code: its mean over the lengths is a level.

    Options: `split` (default: unseen manifolds, else the test set).

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    del published  # the paper retrieves nothing
    x = spec.x or "hash_width"
    rows = marks.select(summary, spec, [x, "method"])
    rows = rows[rows["method"].isin([*METHODS, EXACT])]
    rows = manifoldlooks.of_split(spec, manifoldlooks.of_metrics(spec, rows, MEASURED))
    marks.refuse_mixture(rows, [x, "method", "metric"])
    codes = rows[rows["method"] != EXACT]
    if codes.empty:
        raise DataError(f"a figure of kind {spec.kind} needs one of the methods {list(METHODS)}")
    axis = _axis(spec, x, codes)
    row = [_draw_metric(rows, metric, axis, x) for metric in METRICS]
    row = [panel for panel in row if panel.curves]
    present = {curve.label for panel in row for curve in panel.curves}
    handles = [panels.line_handle(s, label) for label, s in METHODS.values() if label in present]
    for handle in handles:
        handle.set(markersize=MARKER_SIZES[handle.get_label()])
    if any(panel.guides for panel in row):
        handle = panels.guide_handle("y", "exact search")
        handle.set(**EXACT_LOOK)
        handles.append(handle)
    handles += panels.interval_handles(codes, joined=False)
    figure = panels.draw_panels(curves.wrapped(row, spec), spec, handles)
    _finish(figure)
    return figure


def _axis(spec: FigureSpec, x: str, rows: pd.DataFrame) -> Axis:
    levels = tuple(marks.factor_values(rows, x))
    if not all(isinstance(value, (int, float)) and value > 0 for value in levels):
        raise DataError(f"code lengths must be numbers above 0; {x} has {list(levels)}")
    lengths = rows[rows["metric"] == "code_length"]
    same = (lengths["mean"] == lengths[x]).all() and (len(lengths) or x == "hash_width")
    label = str(spec.options.get("x_label") or (CODE_LENGTH if same else marks.factor_label(x)))
    if spec.options.get("x_scale", "log") == "log":
        return BitsAxis(label, "log", levels)
    return Axis(label, "linear", levels)


def _draw_metric(rows: pd.DataFrame, metric: str, axis: Axis, x: str) -> Panel:
    here = rows[rows["metric"] == metric]
    drawn: list[Curve] = []
    for method, (label, style) in METHODS.items():
        part = here[here["method"] == method]
        if len(part):
            drawn.append(panels.curve_of(part, axis, x, style, label))
    exact = here.loc[here["method"] == EXACT, "mean"].to_numpy(dtype=float)
    guides = (Guide(float(exact.mean()), "y"),) if len(exact) else ()
    scale, limits = "linear", manifoldlooks.WHOLE
    if metric in LOG_METRICS and drawn:
        level = [Curve("", exact[:0], exact, METHODS["network_code"][1])]
        scale, limits = "log", manifoldlooks.log_limits([*drawn, *level])
    return Panel(
        *("", marks.metric_label(metric), axis, tuple(drawn), (), scale),
        joined=False,
        guides=guides,
        y_limits=limits,
    )


def _finish(figure: Figure) -> None:
    for axes in figure.axes:
        manifoldlooks.label_decades(axes)
        for line in axes.lines:
            if line.get_label() == "_guide":
                line.set(**EXACT_LOOK)
            else:
                line.set(linewidth=0.9, markersize=MARKER_SIZES[line.get_label()])
