"""What a kind of figure declares: the measure it shows, its options, its question, its Chart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from neuralcodes.figures.chart import Chart

if TYPE_CHECKING:
    import pandas as pd

ROLES = ("x", "line", "variant")


@dataclass(frozen=True)
class FigureSpec:
    """What one figure is to show.

    Attributes:
        title: dataset and preset, printed above the figure.
        x: factor on the horizontal axis; None for the usual one of the kind.
        line: factor whose values are the lines; None for the usual one, or one line per metric.
        variant: a second factor: line style, or a row of panels each.
        scale: of the horizontal axis; None for the usual one of its factor.
        where: factors that are held at one value.
        factors: names of all factors that the study varies.
        options: choices of the kind that no other kind needs.
    """

    title: str = ""
    x: str | None = None
    line: str | None = None
    variant: str | None = None
    scale: Literal["linear", "log"] | None = None
    where: Mapping[str, object] = field(default_factory=dict)
    factors: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Option:
    """A setting that a kind of figure looks at; `where` is one of every kind and not declared.

    Attributes:
        description: one sentence for the configuration's reference.
        type: a Python type that a value must have, None where it may be left out.
        usual: of a factor, the one that is taken where none is given.
        required: it must be given.
        pattern: regular expression that every text of it must match; "" for any.
        default: its value where it is left out.
    """

    description: str
    type: Any = str | None
    usual: str | None = None
    required: bool = False
    pattern: str = ""
    default: Any = None


LINE = Option("Factor with a line per value.")
VARIANT = Option("Factor with a line style per value.")
SCALE = Option(
    "Of the horizontal axis; null for the factor's usual one.", Literal["linear", "log"] | None
)
METRICS = Option(
    "Metrics to draw, a panel each; null for those of the kind of figure.",
    tuple[str, ...] | None,
)
PUBLISHED = Option(
    "Published values to draw over ours and to compare with.", Mapping[str, str] | None
)


def usual_line(factor: str) -> Option:
    """The option `line` of a kind that has lines even where none are named."""
    return Option(LINE.description, usual=factor)


def usual_x(factor: str) -> Option:
    """The option `x` of a kind that has a usual horizontal axis."""
    return Option("Factor (or epoch) on the horizontal axis.", usual=factor)


@dataclass(frozen=True)
class Asked:
    """What the question of a figure is about.

    Attributes:
        x, line, variant: factors in words, with an article; "" where the figure has none.
        shown: x, line and variant, each once.
        factors: all that the study varies, in words.
        dataset: its name in running text.
        paper: key of the paper that asks.
        options: the figure's settings.
    """

    x: str
    line: str
    variant: str
    shown: tuple[str, ...]
    factors: tuple[str, ...]
    dataset: str
    paper: str
    options: Mapping[str, Any]

    @property
    def unseen(self) -> str:
        """The dataset's manifolds that no network was trained on."""
        own = self.dataset.endswith("manifolds")
        return f"unseen {self.dataset}" if own else f"unseen manifolds of {self.dataset}"


@dataclass(frozen=True)
class FigureKind:
    """One kind of figure, declared once.

    Attributes:
        name: in the configuration.
        description: one sentence for the configuration's reference.
        measure: whose rows it shows.
        chart: chooses the rows: (spec, summary as `tables.summarize` gives it, published values or
            None) -> Chart. It raises DataError where the summary lacks what the figure needs, or
            where factors vary that it does not show.
        question: what it answers, in one sentence, from what it is asked about.
        reading: one line on how to read it.
        reading_published: what is added to it where published values are drawn.
        options: settings it looks at, by name.
        always_shown: factors that it tells apart whatever its settings.
        needs: metrics on codes that it cannot do without.
        needs_one_of: metrics on codes of which it needs one.
        published: which published values it can show: those on codes, those on perturbations.
        mixes: several points of a study may differ in factors that are no role of the figure.
    """

    name: str
    description: str
    measure: str
    chart: Callable[[FigureSpec, "pd.DataFrame", "pd.DataFrame | None"], Chart]
    question: Callable[[Asked], str]
    reading: str
    reading_published: str = ""
    options: Mapping[str, Option] = field(default_factory=dict)
    always_shown: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    needs_one_of: tuple[str, ...] = ()
    published: Literal["", "codes", "perturbation"] = ""
    mixes: bool = False

    def how_to_read(self, *, published: bool) -> str:
        """One line on how to read a figure, with or without published values."""
        more = f"; {self.reading_published}" if published and self.reading_published else ""
        return f"{self.reading}{more}."

    def spec(
        self, title: str, figure: Mapping[str, Any], factors: tuple[str, ...] = ()
    ) -> FigureSpec:
        """Turn a study's figure settings into what the kind takes.

        Args:
            title: of the figure.
            figure: settings that agree with the schema.
            factors: names of the factors that the study varies.
        """
        given = {name: figure.get(name) for name in self.options}
        roles = {
            role: given.pop(role, None)
            or (self.options[role].usual if role in self.options else None)
            for role in ROLES
        }
        scale = given.pop("scale", None)
        given.pop("published", None)
        options = {name: value for name, value in given.items() if value is not None}
        where = dict(figure.get("where") or {})
        return FigureSpec(
            title, **roles, scale=scale, where=where, factors=tuple(factors), options=options
        )
