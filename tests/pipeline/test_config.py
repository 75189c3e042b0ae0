"""A wrong configuration is one line with the key's path, the value and what is allowed."""

import copy
import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml

from neuralcodes.errors import ConfigError
from neuralcodes.manifolds import families
from neuralcodes.networks import perceptrons
from neuralcodes.perturbation.kinds import KINDS
from neuralcodes.pipeline import configuration
from neuralcodes.pipeline.configuration import merge, names, schema
from neuralcodes.pipeline.configuration.whole import Configuration
from neuralcodes.pipeline.validation import allowed, check
from neuralcodes.studies import hashruns, keys, runs, settings

ROOT = Path(__file__).parents[2]
STUDY = {
    "dataset": "digits",
    "recipe": "he2021",
    "factors": {"width": [4, 8], "schedule": ["step", "constant"]},
    "checkpoints": [0, 5, "final"],
    "seeds": 2,
    "figure": {"kind": "curves", "x": "width", "line": "schedule"},
}
PRESET = {
    "datasets": {"digits": {"source": "digits"}, "mnist": {"source": "mnist"}},
    "recipes": {"short": {"epochs": 20}},
    "studies": {"capacity": STUDY},
}
MADE = {"datasets/made": {"source": "generated"}}
HASHING = MADE | {
    **{"studies/capacity/dataset": "made", "studies/capacity/recipe": "poly"},
    **{
        "studies/capacity/factors": {"manifolds": [4, 8]},
        "studies/capacity/checkpoints": ["final"],
    },
    **{"studies/capacity/measures": ["manifolds"]},
    "studies/capacity/figure": {"kind": "manifold_sweep", "x": "manifolds"},
}
HUGE = 10**400
LONG = f"1{'0' * 56}..."  # as it is shown
AT = "studies.capacity"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., settings.Settings]:
    """Load the small preset above with some keys, written as paths, put to other values."""

    def build(
        changes: dict[str, object] | None = None,
        command_line: dict[str, object] | None = None,
        **raw: object,
    ) -> settings.Settings:
        content = yaml.safe_load(yaml.safe_dump(PRESET))
        for path, value in (changes or {}).items():
            *parents, last = path.split("/")
            part = content
            for name in parents:
                part = part.setdefault(name, {})
            part[last] = copy.deepcopy(value)
        file = tmp_path / "small.yaml"
        file.write_text(yaml.safe_dump(content))
        return configuration.load({"preset": str(file), **raw}, ROOT, {}, command_line)

    return build


S = "studies/capacity/"
P = "perturbations/"
LEVELS = "perturbations.levels"
WRONG = [
    # unknown keys, at any depth, and the nearest known one
    ({"devise": "cpu"}, "devise", '"devise"', "did you mean device? Allowed: data, datasets,"),
    ({"metrics/knn": 3}, "metrics.knn", '"knn"', "did you mean knn_k? Allowed: kmeans_clusters"),
    ({S + "seed": 3}, f"{AT}.seed", '"seed"', "did you mean seeds? Allowed: checkpoints"),
    ({S + "figure/colour": 1}, f"{AT}.figure.colour", '"colour"', "Allowed: kind, kinds, line,"),
    ({"recipes/short/lr": 1}, "recipes.short.lr", '"lr"', "Allowed: activation, adam_epsilon,"),
    ({S + "set": {"dept": 2}}, f"{AT}.set.dept", '"dept"', "did you mean depth?"),
    ({S + "set": {"recipe": "sgd"}}, f"{AT}.set.recipe", '"recipe"', "Allowed: activation"),
    # what an architecture is not made for
    (
        {S + "set": {"architecture": "small_cm"}},
        f"{AT}.set.architecture",
        '"small_cm"',
        "did you mean small_cnn? Allowed: mlp, small_cnn",
    ),
    (
        {S + "set": {"architecture": "small_cnn", "initializer": "torch_default"}},
        f"{AT}.set.initializer",
        '"torch_default"',
        "small_cnn does not read it",
    ),
    (
        {S + "factors/architecture": ["mlp", "small_cnn"], S + "measures": ["codes", "regions"]},
        f"{AT}.measures[1]",
        '"regions"',
        "the layers of small_cnn are no affine maps; leave it out",
    ),
    # unknown names
    ({S + "dataset": "mnsit"}, f"{AT}.dataset", '"mnsit"', "did you mean mnist? Allowed: digits"),
    ({S + "recipe": "he2022"}, f"{AT}.recipe", '"he2022"', "did you mean he2021? Allowed: adam"),
    ({S + "factors": {"recipe": ["shrt"]}}, f"{AT}.factors.recipe[0]", '"shrt"', "mean short?"),
    ({S + "factors": {"recipe": [[1]]}}, f"{AT}.factors.recipe[0]", "[1]", "Allowed: adam_1e-3"),
    ({S + "factors/widht": [1]}, f"{AT}.factors.widht", '"widht"', "did you mean width? Allowed"),
    ({S + "factors/dataset": ["mnist"]}, f"{AT}.factors.dataset", '"dataset"', "Allowed: act"),
    ({"metrics/names": ["knn_acc"]}, "metrics.names[0]", '"knn_acc"', "did you mean knn_accuracy?"),
    ({S + "measures": ["region"]}, f"{AT}.measures[0]", '"region"', "did you mean regions?"),
    ({"only": ["capacty"]}, "only[0]", '"capacty"', "did you mean capacity? Allowed: capacity"),
    ({S + "figure/kind": "line"}, f"{AT}.figure.kind", '"line"', "Allowed: curves, equal_change,"),
    ({"device": "gpu"}, "device", '"gpu"', "auto | cpu | mps | cuda | cuda:N"),
    ({"device": "cpu\n"}, "device", '"cpu\\n"', "auto | cpu | mps"),
    ({"datasets/mnist/source": "minst"}, "datasets.mnist.source", '"minst"', "did you mean mnist"),
    # wrong types
    ({S + "seeds": True}, f"{AT}.seeds", "true", "a number of repeats from 1 to 10000, or a list"),
    ({S + "factors/width": 4}, f"{AT}.factors.width", "4", "a list, with at least 1 entry"),
    ({S + "factors/width": [True]}, f"{AT}.factors.width[0]", "true", "an integer, at least 1"),
    ({S + "factors/width": [4, "8"]}, f"{AT}.factors.width[1]", '"8"', "write 8 without quotes"),
    ({S + "factors/width": [4.5]}, f"{AT}.factors.width[0]", "4.5", "an integer, at least 1"),
    ({S + "factors/width": [1e30]}, f"{AT}.factors.width[0]", "1.0e+30", "an integer, at least 1"),
    ({"recipes/short/weight_decay": "1e-6"}, "recipes.short.weight_decay", '"1e-6"', "1.0e-6"),
    ({"studies": None}, "studies", "null", "a mapping, with at least 1 entry"),
    # out of range
    ({S + "factors/width": [4, -3]}, f"{AT}.factors.width[1]", "-3", "an integer, at least 1"),
    ({S + "set": {"depth": 5}}, f"{AT}.factors.width[0]", "4", "at least 5, the depth"),
    ({S + "factors/sample_size": [0]}, f"{AT}.factors.sample_size[0]", "0", "1; or null"),
    ({"recipes/short/batch_size": math.nan}, "recipes.short.batch_size", "NaN", "a finite number"),
    ({S + "set": {"learning_rate": math.inf}}, f"{AT}.set.learning_rate", "Infinity", "finite"),
    ({S + "factors/dropout": [0, math.nan]}, f"{AT}.factors.dropout[1]", "NaN", "finite number"),
    ({S + "set": {"weight_decay": HUGE}}, f"{AT}.set.weight_decay", LONG, "from -900719925"),
    ({S + "seeds": 0}, f"{AT}.seeds", "0", "a number of repeats from 1 to 10000"),
    ({S + "seeds": 10001}, f"{AT}.seeds", "10001", "a number of repeats from 1 to 10000"),
    ({S + "checkpoints": [-1]}, f"{AT}.checkpoints[0]", "-1", "an epoch, at least 0, accuracy1 to"),
    (
        {S + "checkpoints": ["last"]},
        f"{AT}.checkpoints[0]",
        '"last"',
        "an epoch, at least 0, accuracy1 to",
    ),
    # empty
    ({S + "factors": {}}, f"{AT}.factors", "{}", "a mapping, with at least 1 entry"),
    ({S + "factors/width": []}, f"{AT}.factors.width", "[]", "a list, with at least 1 entry"),
    ({S + "seeds": []}, f"{AT}.seeds", "[]", "a number of repeats from 1 to 10000, or a list"),
    ({"studies": {}}, "studies", "{}", "a mapping, with at least 1 entry"),
    # twice
    ({S + "factors/width": [4, 8, 4]}, f"{AT}.factors.width", "[4, 8, 4]", "4 stands twice"),
    ({S + "factors/dropout": [0, 0.0]}, f"{AT}.factors.dropout", "[0, 0]", "0 stands twice"),
    ({S + "checkpoints": [1, 1.0]}, f"{AT}.checkpoints", "[1, 1]", "1 stands twice"),
    ({S + "seeds": [3, 3]}, f"{AT}.seeds[1]", "3", "seed 3 a second time; each may stand once"),
    ({S + "seeds": ["0-9", "5-12"]}, f"{AT}.seeds[1]", '"5-12"', "seed 5 a second time"),
    ({S + "seeds": ["0-9", 7]}, f"{AT}.seeds[1]", "7", "seed 7 a second time"),
    ({"only": ["capacity"] * 2}, "only", '["capacity", "capacity"]', '"capacity" stands twice'),
    # seeds
    ({S + "seeds": ["9-0"]}, f"{AT}.seeds[0]", '"9-0"', "it runs backwards; write 0-9"),
    ({S + "seeds": ["0-5-9"]}, f"{AT}.seeds[0]", '"0-5-9"', "a seed, at least 0, or a range"),
    ({S + "seeds": ["0 - 9"]}, f"{AT}.seeds[0]", '"0 - 9"', "a range such as 0-9"),
    ({S + "seeds": [-1]}, f"{AT}.seeds[0]", "-1", "a seed, at least 0"),
    ({S + "seeds": ["0-999999999"]}, f"{AT}.seeds[0]", '"0-999999999"', "at most 10000 seeds"),
    # names that become files
    ({"studies": {"../x": STUDY}}, 'studies["../x"]', '"../x"', "a name of a-z, 0-9 and _"),
    ({"studies": {"a\n": STUDY}}, 'studies["a\\n"]', '"a\\n"', "a name of a-z, 0-9 and _"),
    ({"studies": {"{run}": STUDY}}, 'studies["{run}"]', '"{run}"', "a name of a-z, 0-9 and _"),
    ({"studies": {"a" * 81: STUDY}}, f"studies.{'a' * 81}", f'"{"a" * 56}...', "at most 80 long"),
    ({"studies": {1: STUDY}}, "studies.1", "1", "text as key; put it in quotes"),
    ({"datasets": {"Digits": {"source": "digits"}}}, "datasets.Digits", '"Digits"', "a name of a"),
    ({"recipes": {"a/b": {}}}, 'recipes["a/b"]', '"a/b"', "a name of a-z, 0-9, _ and -"),
    ({"results": "out/{run}"}, "results", '"out/{run}"', "a folder, its name without braces"),
    # a dataset's path
    ({"datasets/mnist/source": "image_folder"}, "datasets.mnist.path", "null", "image_folder nee"),
    ({"datasets/mnist/path": "x"}, "datasets.mnist.path", '"x"', "mnist takes none; take it out"),
    # sizes and epochs
    ({S + "factors/sample_size": [9, 1150]}, f"{AT}.factors.sample_size[1]", "1150", "most 1149, "),
    ({S + "set": {"sample_size": 2000}}, f"{AT}.set.sample_size", "2000", "at most 1149"),
    ({"recipes/he2021/sample_size": 2000}, "recipes.he2021.sample_size", "2000", "at most 1149"),
    (
        {S + "set": {"validation_fraction": 0.9999}},
        f"{AT}.set.validation_fraction",
        "0.9999",
        "it leaves none of the 1437 examples of digits for training",
    ),
    (
        {S + "recipe": "short", S + "checkpoints": [0, 21]},
        f"{AT}.checkpoints[1]",
        "21",
        "at most 20, the last epoch, given by recipes.short.epochs",
    ),
    (
        {S + "factors/epochs": [9, 3], S + "figure/variant": "epochs"},
        f"{AT}.checkpoints[1]",
        "5",
        "at most 3, the last epoch, given by studies.capacity.factors.epochs[1]",
    ),
    # perturbations
    ({P + "kinds": ["shift"]}, "perturbations.kinds[0]", '"shift"', "Allowed: clip, clip_act"),
    ({P + "equal_changes": [0.1, 0]}, "perturbations.equal_changes[1]", "0", "a number, above 0"),
    ({P + "levels/scale_per_unit": [1]}, f"{LEVELS}.scale_per_unit", '"scale_per_unit"', "Allowed"),
    ({P + "levels/scale": []}, f"{LEVELS}.scale", "[]", "a list of levels and of ranges {linear:"),
    ({P + "levels/clip": [1, "a"]}, f"{LEVELS}.clip[1]", '"a"', "a level, or {linear: [from, to,"),
    ({P + "levels/clip": [{}]}, f"{LEVELS}.clip[0]", "{}", "a level, or {linear: [from, to, point"),
    ({P + "levels/clip": [{"lin": [1, 2, 3]}]}, f"{LEVELS}.clip[0].lin", '"lin"', "mean linear?"),
    ({P + "levels/clip": [{"log": [1, 2]}]}, f"{LEVELS}.clip[0].log", "[1, 2]", "[from, to, poi"),
    ({P + "levels/clip": [{"log": [1, "b", 3]}]}, f"{LEVELS}.clip[0].log[1]", '"b"', "a number"),
    (
        {P + "levels/offset": [0, {"linear": [1, 0, 5]}]},
        f"{LEVELS}.offset[1].linear",
        "[1, 0, 5]",
        "[from, to, points] with from below to and 2 to 10000 points",
    ),
    (
        {P + "code_levels/scale": [{"log": [0, 1, 5]}]},
        "perturbations.code_levels.scale[0].log",
        "[0, 1, 5]",
        "from must be above 0",
    ),
    # recipes and checkpoints of perturbed networks
    (
        {S + "set": {"input_scaling": "row"}},
        f"{AT}.set.input_scaling",
        '"row"',
        "did you mean raw?",
    ),
    ({S + "set": {"activation": "tan"}}, f"{AT}.set.activation", '"tan"', "did you mean tanh?"),
    ({S + "checkpoints": ["accuracy0"]}, f"{AT}.checkpoints[0]", '"accuracy0"', "accuracy1 to acc"),
    ({S + "checkpoints": ["accuracy101"]}, f"{AT}.checkpoints[0]", '"accuracy101"', "accuracy1 to"),
    # hash networks
    ({S + "recipe": "imags"}, f"{AT}.recipe", '"imags"', "did you mean images? Allowed: adam_1e"),
    ({S + "recipe": "pol", S + "set": {"steps": 9}}, f"{AT}.recipe", '"pol"', "did you mean poly"),
    ({"hash_recipes/he2021": {}}, "hash_recipes.he2021", "...", "a key of recipes has that name"),
    (
        {"hash_recipes/he2021": {}, S + "set": {"depth": 2}},
        "hash_recipes.he2021",
        "...",
        "a key of",
    ),
    ({"recipes/poly": {}}, "hash_recipes.poly", "...", "a key of recipes has that name"),
    ({"hash_recipes/poly/depth": 2}, "hash_recipes.poly.depth", '"depth"', "Allowed: ambient_dim"),
    ({"hash_recipes/poly/family": "pol"}, "hash_recipes.poly.family", '"pol"', "did you mean poly"),
    ({"hash_recipes/poly/classes": "a"}, "hash_recipes.poly.classes", '"a"', '"0-4" or "0,3,7-9"'),
    ({**HASHING, S + "set": {"depth": 2}}, f"{AT}.set.depth", '"depth"', "Allowed: ambient_dim"),
    (
        {**HASHING, S + "factors": {"manifolds": [4, 1]}},
        f"{AT}.factors.manifolds[1]",
        "1",
        "an integer, at least 2",
    ),
    (
        {**HASHING, S + "factors": {"dropout": [0]}},
        f"{AT}.factors.dropout",
        '"dropout"',
        "no known factor",
    ),
    ({S + "dataset": "made"} | MADE, f"{AT}.dataset", '"made"', "only hash_recipes make up their"),
    (MADE | {"datasets/made/path": "x"}, "datasets.made.path", '"x"', "generated takes none; take"),
    # two values for one thing
    ({S + "set": {"width": 16}}, f"{AT}.set.width", "16", f"{AT}.factors.width gives width too"),
]


@pytest.mark.parametrize(("changes", "key", "found", "allowed"), WRONG)
def test_a_wrong_value_is_one_line_with_key_value_and_what_is_allowed(
    load, changes, key, found, allowed
):
    with pytest.raises(ConfigError) as raised:
        load(changes)
    message = str(raised.value)
    assert message.startswith(f"{key}: {found} is ")
    assert allowed in message
    assert "\n" not in message


@pytest.mark.parametrize("missing", ["dataset", "recipe", "factors", "seeds", "figure"])
def test_a_key_without_default_must_be_given(load, missing):
    study = {name: value for name, value in STUDY.items() if name != missing}
    with pytest.raises(ConfigError, match=rf"^{AT}\.{missing}: is missing and has no default"):
        load({"studies": {"capacity": study}})


@pytest.mark.parametrize("content", ["- a\n- b\n", "", "just text", "5"])
def test_a_preset_that_is_no_mapping_is_refused(tmp_path, content):
    file = tmp_path / "odd.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"odd\.yaml: .* is not allowed: a mapping of keys"):
        configuration.load({"preset": str(file)}, ROOT, {})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"studies: [1, 2", "expected ',' or ']'"),
        (b"a: b: c", "mapping values are not allowed here"),
        (b"\xff\xfe\x00\x80", "codec can't decode"),
        (b"a: !!python/object:os.system {}", "could not determine a constructor"),
        (b"day: 2024-13-45", "month must be in 1"),
        (b"? [1]\n: 2", "unhashable key"),
        (b"studies:\n  a: {seeds: 1}\n  a: {seeds: 2}\n", "a stands twice"),
    ],
)
def test_a_preset_that_is_no_yaml_is_refused_in_one_line(tmp_path, content, reason):
    file = tmp_path / "odd.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"odd\.yaml: cannot be read as YAML") as raised:
        configuration.load({"preset": str(file)}, ROOT, {})
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_yaml_that_contains_itself_is_refused(tmp_path):
    (tmp_path / "odd.yaml").write_text("studies: &a\n  again: *a\n")
    with pytest.raises(ConfigError, match=r"^studies\.again\.again: .* fewer levels"):
        configuration.load({"preset": str(tmp_path / "odd.yaml")}, ROOT, {})


@pytest.mark.parametrize(
    ("preset", "found"),
    [
        (None, "null"),
        ("", '""'),
        (5, "5"),
        (["digits"], r'\["digits"\]'),
        ("digts", '"digts" is no known preset; did you mean digits'),
        ("../../etc", r'"\.\./\.\./etc"'),
        ("x" * 5000, '"xxxx'),
        ("config/presets", '"config/presets"'),
    ],
)
def test_an_unknown_preset_is_refused_with_the_known_ones(preset, found):
    with pytest.raises(ConfigError, match=rf"^preset: {found}.*digits, mnist, paper"):
        configuration.load({"preset": preset}, ROOT, {})


def test_a_configuration_without_preset_is_refused():
    with pytest.raises(ConfigError, match=r"^preset: null is not allowed: digits, mnist, paper"):
        configuration.load({}, ROOT, {})


def test_a_preset_whose_name_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "{run}.yaml").write_text("{}")
    with pytest.raises(ConfigError, match=r"^preset: .* letters, digits, _, - and \. alone"):
        configuration.load({"preset": str(tmp_path / "{run}.yaml")}, ROOT, {})


def test_a_preset_on_top_of_another_is_refused(load):
    with pytest.raises(ConfigError, match=r"^preset: .*names a preset itself; take that key out"):
        load({"preset": "digits"})


GOLDEN = json.loads((ROOT / "tests/studies/golden_run_ids.json").read_text())


@pytest.mark.parametrize("preset", [path.stem for path in (ROOT / "config/presets").iterdir()])
def test_every_preset_is_valid_and_its_runs_keep_their_ids(preset):
    settings = configuration.load({"preset": preset}, ROOT, {})
    assert settings.preset == preset
    assert set(settings.selected) <= set(settings.studies)
    found = {
        name: [each.run.id for each in study.points] for name, study in settings.studies.items()
    }
    assert found == GOLDEN[preset]
    assert set(settings.runs) == {run for ids in found.values() for run in ids}


def parts(root: Mapping, found: Mapping, path: str = "") -> Iterator[tuple[str, Mapping]]:
    """Every key of a configuration, in the small preset above, and what describes it."""
    for name, raw in found.get("properties", {}).items():
        part = schema.resolved(raw, root)
        yield f"{path}{name}", part
        yield from parts(root, part, f"{path}{name}/")
    names = {"datasets/": "mnist", "recipes/": "short", "hash_recipes/": "poly"}
    if isinstance(found.get("additionalProperties"), dict) and path in (*names, "studies/"):
        part = schema.resolved(found["additionalProperties"], root)
        yield from parts(root, part, f"{path}{names.get(path, 'capacity')}/")


def not_allowed(part: Mapping) -> Iterator[object]:
    """Values of another type, or just out of bounds."""
    kinds = part.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else {*kinds}
    by_kind = {"object": {}, "array": [], "boolean": True, "number": 0.5, "string": "text"}
    yield from (each for kind, each in by_kind.items() if kind not in kinds)
    if "null" not in kinds and None not in part.get("enum", []):
        yield None
    for name, change in (("minimum", -1), ("exclusiveMinimum", 0), ("maximum", 1)):
        yield from [part[name] + change] if name in part else []
    yield from [part["exclusiveMaximum"]] if "exclusiveMaximum" in part else []
    yield from [[]] if "minItems" in part else []
    yield from [""] if "minLength" in part else []


SCHEMA = schema.of_configuration()
KEYS = [each for each in parts(SCHEMA, SCHEMA) if each[0] not in ("preset", "plugins")]


@pytest.mark.parametrize(("path", "part"), KEYS, ids=[path for path, _ in KEYS])
def test_no_key_takes_another_type_or_a_value_out_of_bounds(path, part):
    small = merge(PRESET, {"preset": "small", "hash_recipes": {"poly": {}}})
    small = merge(
        small, capacity(figure={"published": {"figure": "sample_size", "dataset": "mnist"}})
    )
    tried = 0
    for wrong in not_allowed(part):
        whole = copy.deepcopy(small)
        *parents, last = path.split("/")
        inner = whole
        for name in parents:
            inner = inner.setdefault(name, {})
        inner[last] = wrong
        with pytest.raises(ConfigError) as raised:
            check(Configuration, whole)
        message = str(raised.value)
        assert message.startswith(f"{path.replace('/', '.')}: {keys.shown(wrong)} is "), message
        words = part["enum"][0] if "enum" in part else allowed(part)
        assert str(words) in message
        tried += 1
    assert tried > 1


def test_defaults_are_filled_at_any_depth(load):
    settings = load()
    figure = settings.studies["capacity"].figure
    assert (settings.device, settings.results, settings.mirror) == ("auto", "results", None)
    assert settings.data_directory == "resources/data"
    assert (settings.metrics["knn_k"], settings.metrics["kmeans_clusters"]) == (9, None)
    assert settings.random_examples == 10000
    assert figure["where"] == {}
    assert figure["regimes"]["under_expressive_redundancy"] == 0.5
    assert settings.datasets["mnist"].path is None


def test_the_levels_of_perturbations_are_by_default_the_published_grids(load):
    levels = load().accuracy_levels.levels
    assert tuple(levels) == KINDS
    scale = np.geomspace(0.01, 10, 100)
    offset = [
        *(-2 + 0.05 * np.arange(32)),  # to -0.45
        *(-0.4 + 0.01 * np.arange(80)),  # to 0.39
        *(0.4 + 0.05 * np.arange(13)),  # to 1
    ]
    for kind, grid in (("scale", scale), ("clip", scale), ("offset", offset)):
        assert levels[kind] == pytest.approx(grid, rel=1e-9, abs=1e-12)
    assert levels["scale_per_unit"] == levels["scale"]
    assert levels["clip_activation"] == levels["clip"]
    # entry 50 was tested against, as published; 66 and 72 change nothing
    assert levels["scale"][50] == levels["clip"][50] == pytest.approx(0.32745, abs=1e-5)
    assert levels["offset"][50] == -0.22
    assert (levels["scale"][66], levels["clip"][66], levels["offset"][72]) == (1, 1, 0)


def test_perturbations_may_be_chosen_and_given_other_levels(load):
    changes = {"kinds": ["clip_activation", "offset"], "spread": 3, "equal_changes": []}
    changes |= {"levels": {"clip": [{"linear": [0, 1, 3]}]}, "code_levels": {"offset": [0.2, -1]}}
    settings = load({"perturbations": changes, "metrics/knn_k": 5})
    accuracy, coded = settings.accuracy_levels, settings.code_levels
    assert accuracy.levels["clip_activation"] == (0, 0.5, 1)
    assert list(accuracy.levels) == ["clip_activation", "offset"]
    assert len(accuracy.levels["offset"]) == 125
    assert (accuracy.spread, accuracy.equal_changes) == (3, ())
    assert coded.levels == {"scale": (0.1, 10), "clip": (0.1, 0.5), "offset": (-1, 0.2)}
    assert (coded.spread, coded.knn_k) == (3, 5)


def test_a_registry_s_names_are_those_that_a_key_may_hold(monkeypatch, load):
    monkeypatch.setitem(names.REGISTRIES, "metrics", lambda: ("knn_accuracy", "mine"))
    assert load().metrics["names"] == ["knn_accuracy", "mine"]
    assert load({"metrics/names": ["mine"]}).metrics["names"] == ["mine"]
    with pytest.raises(
        ConfigError, match=r'^metrics\.names\[0\]: "code_length".*: knn_acc.*, mine$'
    ):
        load({"metrics/names": ["code_length"]})


def test_what_the_library_can_do_is_what_a_recipe_may_ask_for():
    assert set(get_args(get_args(runs.Run.__annotations__["activation"])[0])) == {
        *perceptrons.ACTIVATIONS
    }
    assert {*families.FAMILIES, hashruns.IMAGES} == {*hashruns.FAMILIES}


def test_a_recipe_may_take_all_examples_at_once_and_raw_inputs(load):
    changes = {"batch_size": None, "input_scaling": "raw", "activation": "tanh"}
    for point in load({S + "set": changes}).studies["capacity"].points:
        assert point.run.batch_size is None
        assert (point.run.input_scaling, point.run.activation) == ("raw", "tanh")


def test_checkpoints_by_accuracy_stand_between_epochs_and_the_end(load):
    names = ["final", "accuracy100", 5, "accuracy9", 0]
    settings = load({S + "checkpoints": names})
    assert settings.studies["capacity"].checkpoints == tuple(map(str, names))
    expected = ("0", "5", "accuracy9", "accuracy100", "final")
    assert set(settings.checkpoints.values()) == {expected}


def test_hash_networks_stand_beside_the_others(load):
    other = {**STUDY, "factors": {"width": [4]}, "figure": {"kind": "curves", "x": "width"}}
    settings = load(HASHING | {"studies/other": other})
    hashed = settings.studies["capacity"].points
    assert [type(point.run) for point in hashed] == [hashruns.HashRun] * 2
    (plain,) = settings.studies["other"].points
    assert set(settings.runs) == {point.run.id for point in (*hashed, plain)}
    assert settings.checkpoints[hashed[0].run.id] == ("final",)
    assert settings.checkpoints[plain.run.id] == ("0", "5", "final")
    assert set(settings.datasets) == {"digits", "mnist"}, "nothing to download of others"
    assert settings.labels["made"] == "made"


def capacity(**keys: object) -> dict[str, object]:
    return {"studies": {"capacity": keys}}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (
            {"metrics": {"knn_k": "3", "kmeans_clusters": "null"}},
            {"metrics": {"knn_k": 3, "kmeans_clusters": None}},
        ),
        (capacity(factors={"width": ["8", "16.0"]}), capacity(factors={"width": [8, 16]})),
        (
            capacity(set={"tf32": "true", "weight_decay": "1e-5"}),
            capacity(set={"tf32": True, "weight_decay": 1e-5}),
        ),
        (capacity(seeds=["0-4", "7"], title="5"), capacity(seeds=["0-4", 7], title="5")),
        (capacity(checkpoints=["3", "final"]), capacity(checkpoints=[3, "final"])),
        (
            capacity(figure={"line": "epoch", "where": {"schedule": "step", "width": "8"}}),
            capacity(figure={"line": "epoch", "where": {"schedule": "step", "width": 8}}),
        ),
        (
            {"perturbations": {"levels": {"clip": ["1", {"log": ["1", "10", "3"]}]}}},
            {"perturbations": {"levels": {"clip": [1, {"log": [1, 10, 3]}]}}},
        ),
    ],
)
def test_text_of_the_command_line_is_the_number_that_it_is(load, text, meant):
    assert load(command_line=text, **text) == load(**meant)


@pytest.mark.parametrize(
    ("given", "told"), [("3", {}), ("3", {"metrics": {"knn_k": "4"}}), ("3x", None), ("true", None)]
)
def test_other_text_is_no_number(load, given, told):
    text = {"metrics": {"knn_k": given}}
    with pytest.raises(
        ConfigError, match=r"^metrics\.knn_k: .* is not allowed: an integer, at lea"
    ):
        load(command_line=text if told is None else told, **text)


def test_a_hash_recipe_is_laid_over_those_of_the_project(load):
    changes = HASHING | {"hash_recipes/poly": {"steps": 30, "width": 40}}
    settings = load(changes, hash_recipes={"poly": {"steps": 200}})
    run = settings.studies["capacity"].points[0].run
    # steps from the user, width from the preset, the rest from the schema
    assert (run.steps, run.width, run.gamma_dim) == (200, 40, 12)
    images = load(HASHING | {S + "recipe": "images", S + "dataset": "mnist"})
    run = images.studies["capacity"].points[0].run
    # from config/hash_recipes.yaml
    assert (run.family, run.network, run.steps, run.learning_rate) == ("images", "cnn", 1000, 0.005)


def test_settings_of_manifolds_and_retrieval_have_defaults(load):
    settings = load({"manifolds/points": 5, "retrieval/queries": 7})
    assert settings.manifolds["points"] == 5
    assert (settings.manifolds["unseen"], settings.manifolds["ways"]) == (1000, [20, 100])
    assert settings.retrieval == {"manifolds": 10000, "queries": 7}


def test_a_mapping_given_in_part_keeps_its_other_defaults(load):
    metrics = load({"metrics/knn_k": 3}).metrics
    assert (metrics["knn_k"], metrics["kmeans_restarts"]) == (3, 10)


def test_the_preset_wins_over_the_recipes_and_the_user_over_the_preset(load):
    recipe = {"epochs": 30, "batch_size": 32}
    settings = load({"recipes/he2021": recipe}, recipes={"he2021": {"epochs": 40}})
    run = settings.studies["capacity"].points[0].run
    # epochs from the user, batch size from the preset, patience from config/recipes.yaml
    assert (run.epochs, run.batch_size, run.patience) == (40, 32, 10)


def test_a_user_list_replaces_the_preset_s(load):
    change = {"capacity": {"factors": {"width": [16]}, "checkpoints": [3]}}
    study = load(studies=change).studies["capacity"]
    assert {point.run.width for point in study.points} == {16}
    assert study.checkpoints == ("3",)


def test_a_list_of_one_value_is_a_factor(load):
    study = load({S + "factors/width": [4]}).studies["capacity"]
    assert [point.factors["width"] for point in study.points] == [4, 4]


def test_null_is_a_sample_size(load):
    change = {S + "factors": {"sample_size": [10, None]}, S + "figure": {"kind": "curves"}}
    study = load(change | {S + "figure/x": "sample_size"}).studies["capacity"]
    assert [point.run.sample_size for point in study.points] == [10, None]


def test_whole_floats_are_integers(load):
    changes = {S + "seeds": 2.0, S + "checkpoints": [0.0, 5.0], S + "factors/width": [4.0, 8.0]}
    changed = load(changes | {"seeds_per_chunk": 1.0})
    assert changed.studies["capacity"].chunks == ((0, 0), (1, 1))
    assert changed.studies["capacity"].checkpoints == ("0", "5")
    assert set(changed.runs) == set(load().runs)


def test_a_run_s_checkpoints_are_those_of_all_studies_in_order(load):
    other = {**STUDY, "checkpoints": ["final", 20, 3], "factors": {"width": [8]}}
    other["figure"] = {"kind": "curves", "x": "width"}
    settings = load({"studies/other": other})
    shared, alone = (
        runs.from_mapping({**settings.studies["other"].points[0].run.to_dict(), "width": width}).id
        for width in (8, 4)
    )
    assert settings.checkpoints[shared] == ("0", "3", "5", "20", "final")
    assert settings.checkpoints[alone] == ("0", "5", "final")
    assert len(settings.runs) == 4


def test_only_chooses_studies_and_optional_ones_are_left_out_unless_named(load):
    changes = {"studies/other": {**STUDY, "optional": True}}
    assert load(changes).selected == ("capacity",)
    assert load(changes, only=["other"]).selected == ("other",)


def test_a_dataset_without_label_is_called_by_its_name(load):
    assert load({"datasets/mnist/label": "MNIST"}).labels == {"digits": "digits", "mnist": "MNIST"}


@pytest.mark.parametrize(
    ("given", "environ", "mirror"),
    [
        (None, {}, None),
        (None, {configuration.MIRROR_VARIABLE: ""}, None),
        (None, {configuration.MIRROR_VARIABLE: "/mirror"}, "/mirror"),
        ("/mine", {configuration.MIRROR_VARIABLE: "/mirror"}, "/mine"),
    ],
)
def test_the_environment_names_the_mirror_where_the_configuration_does_not(given, environ, mirror):
    raw = {"preset": "digits", "data": {"mirror": given}}
    assert configuration.load(raw, ROOT, environ).mirror == mirror


def test_what_is_given_is_left_as_it_is():
    raw = {"preset": "digits", "metrics": {"knn_k": 3.0}}
    configuration.load(raw, ROOT, {})
    assert raw == {"preset": "digits", "metrics": {"knn_k": 3.0}}


@pytest.mark.parametrize(
    ("below", "above", "merged"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
    ],
)
def test_mappings_merge_and_everything_else_replaces(below, above, merged):
    assert configuration.merge(below, above) == merged


def test_the_run_table_has_every_run_and_field(load, tmp_path):
    settings = load(results=str(tmp_path / "out"))
    configuration.write_run_table(settings)
    with (tmp_path / "out/runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == sorted(settings.runs)
    columns = ["run", *runs.FIELDS, *hashruns.FIELDS]
    assert list(rows[0]) == list(dict.fromkeys(columns))
    assert {row["width"] for row in rows} == {"4", "8"}


def test_the_run_table_has_the_fields_of_either_kind_of_network(load, tmp_path):
    for change in ({}, HASHING):
        settings = load(change, results=str(tmp_path))
        configuration.write_run_table(settings)
    with (tmp_path / "runs.csv").open(newline="") as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    assert len(rows) == 4 + 2
    for run in settings.runs:
        assert (rows[run]["network"], rows[run]["depth"]) == ("hash", "")
        assert rows[run]["manifolds"] in ("4", "8")
    plain = [row for run, row in rows.items() if run not in settings.runs]
    assert {row["depth"] for row in plain} == {"1"}
    assert {row["gamma_dim"] for row in plain} == {""}


def test_the_run_table_keeps_the_runs_of_before(load, tmp_path):
    first = load(results=str(tmp_path))
    second = load({S + "factors/width": [8, 16]}, results=str(tmp_path))
    configuration.write_run_table(first)
    configuration.write_run_table(second)
    with (tmp_path / "runs.csv").open(newline="") as file:
        ids = [row["run"] for row in csv.DictReader(file)]
    assert ids == sorted({*first.runs, *second.runs})
    assert len(ids) == 6


def test_a_run_table_that_cannot_be_finished_leaves_the_old_one(load, tmp_path, monkeypatch):
    settings = load(results=str(tmp_path))
    configuration.write_run_table(settings)
    before = (tmp_path / "runs.csv").read_bytes()

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(csv.DictWriter, "writerows", broken)
    with pytest.raises(KeyboardInterrupt):
        configuration.write_run_table(settings)
    assert (tmp_path / "runs.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.csv", "small.yaml"]


@pytest.mark.parametrize(
    ("arguments", "preset"),
    [
        (["--cores", "2", "results/mnist/figures/model_size_mnist.pdf"], "mnist"),
        (["/elsewhere/paper/tables/a.csv", "results/mnist/figures/b.pdf"], "paper"),
        (["results/unknown/figures/a.pdf"], None),
        (["results/mnist/metrics/a.csv", "mnist", "figures/a.pdf", "--cores"], None),
        ([], None),
    ],
)
def test_a_file_of_a_preset_is_enough_to_choose_it(arguments, preset):
    assert configuration.preset_of_targets(arguments, ROOT) == preset
