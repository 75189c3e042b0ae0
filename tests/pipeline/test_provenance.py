import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neuralcodes.measures import registry
from neuralcodes.pipeline import provenance

MEASURING = "from neuralcodes.metrics import suite"
SCRIPT = "from neuralcodes.networks.training import loop\n\nloop.finish()\n"


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A copy of the package that may be edited; `library(edit, *modules)` edits it."""
    root = tmp_path / "neuralcodes"
    shutil.copytree(provenance.ROOT, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "ROOT", root)

    def change(edit, *modules):
        paths = [root.joinpath(*each.split(".")).with_suffix(".py") for each in modules]
        for path in paths or root.rglob("*.py"):
            before = path.read_text()
            path.write_text(edit(before))
            assert path.read_text() != before or (not modules and path.name == "__init__.py")

    yield change


@pytest.fixture
def fingerprint(tmp_path):
    """Fingerprint a script of the given text."""
    script = tmp_path / "script.py"

    def of(text=SCRIPT):
        script.write_text(text)
        return provenance.fingerprint(script)

    return of


def write_package(root, **modules):
    for name, text in modules.items():
        (root / f"{name}.py").write_text(text)


def test_a_fingerprint_is_16_hex_digits_and_stable(library, fingerprint):
    assert len(fingerprint()) == 16
    assert int(fingerprint(), 16) >= 0
    assert fingerprint() == fingerprint()


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + "# why not\n",
        lambda text: text.replace('"""', '"""Changed. ', 1),
        lambda text: re.sub(r'^( +)"""(?=[A-Z])', r'\1"""Changed.\n\n\1', text + "\n", flags=re.M),
        lambda text: text.replace("\n\n", "\n\n\n"),
        lambda text: ast.unparse(ast.parse(text)),
    ],
    ids=["comment", "module docstring", "docstrings", "blank lines", "formatting"],
)
def test_comments_docstrings_and_formatting_do_not_count(library, fingerprint, edit):
    before = fingerprint()
    library(edit)
    assert fingerprint() == before


@pytest.mark.parametrize("body", ['"""{}."""', 'b: int\n    """{}."""\n    c = "x"'])
def test_a_class_s_docstring_and_those_of_its_fields_do_not_count(library, fingerprint, body):
    text = "from neuralcodes import low"
    write_package(provenance.ROOT, low=f"class A:\n    {body.format('One')}\n")
    before = fingerprint(text)
    write_package(provenance.ROOT, low=f"class A:\n    {body.format('Two')}\n")
    assert fingerprint(text) == before
    write_package(provenance.ROOT, low='class A:\n    b: str\n    c = "x"\n')
    assert fingerprint(text) != before


@pytest.mark.parametrize(
    "module",
    ["networks.training.loop", "networks.training.optimisers", "storage.randomness", "errors"],
)
def test_an_edit_anywhere_below_the_script_counts(library, fingerprint, module):
    before = fingerprint()
    library(lambda text: text + "ADDED = 1\n", module)
    assert fingerprint() != before


def test_a_changed_number_counts(library, fingerprint):
    before = fingerprint()
    library(lambda text: text.replace("0.999", "0.9999"), "networks.training.optimisers")
    assert fingerprint() != before


def test_an_edit_of_what_is_not_imported_does_not_count(library, fingerprint):
    before = fingerprint()
    library(lambda text: text + "ADDED = 1\n", "metrics.suite")
    assert fingerprint() == before
    assert fingerprint("from neuralcodes.metrics import suite") != fingerprint()


def test_the_scripts_own_text_does_not_count(library, fingerprint):
    assert fingerprint(SCRIPT) == fingerprint(SCRIPT.replace("finish", "advance"))


@pytest.mark.parametrize(
    "text",
    [
        "from neuralcodes import low",
        "from neuralcodes.low import a",
        "import neuralcodes.low",
        "import neuralcodes.low as other",
        "def late():\n    from neuralcodes import low",
        "from neuralcodes import high",
    ],
)
def test_every_way_to_import_a_module_is_followed(library, fingerprint, text):
    write_package(provenance.ROOT, low="a = 1", high="def f():\n    import neuralcodes.low")
    before = fingerprint(text)
    write_package(provenance.ROOT, low="a = 2")
    assert fingerprint(text) != before


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_for_type_checkers_do_not_count(library, fingerprint, test):
    text = f"if {test}:\n    from neuralcodes import low\nelse:\n    from neuralcodes import high"
    write_package(provenance.ROOT, low="a = 1", high="a = 1")
    before = fingerprint(text)
    write_package(provenance.ROOT, low="a = 2")
    assert fingerprint(text) == before
    write_package(provenance.ROOT, high="a = 2")
    assert fingerprint(text) != before


def test_imports_that_run_unless_types_are_checked_count(library, fingerprint):
    text = "if not TYPE_CHECKING:\n    from neuralcodes import low"
    write_package(provenance.ROOT, low="a = 1")
    before = fingerprint(text)
    write_package(provenance.ROOT, low="a = 2")
    assert fingerprint(text) != before


def test_modules_that_import_each_other_are_digested_once(library, fingerprint):
    write_package(
        provenance.ROOT, low="from neuralcodes import high", high="from neuralcodes import low"
    )
    assert fingerprint("from neuralcodes import low") == fingerprint("import neuralcodes.high")


def test_names_of_the_package_that_are_no_modules_are_left_alone(library, fingerprint):
    assert fingerprint("from neuralcodes import __version__") == fingerprint("import json")


def test_packages_are_followed_and_their_init_counts(library, fingerprint):
    package = provenance.ROOT / "shelf"
    package.mkdir()
    write_package(
        package, __init__="a = 1", book="from . import page\nfrom .page import b", page="b = 1"
    )
    known = {}
    for name in ("__init__", "book", "page"):
        for way in ("from neuralcodes.shelf import book", "import neuralcodes.shelf.book as other"):
            known.setdefault((name, way), fingerprint(way))
            text = (package / f"{name}.py").read_text()
            (package / f"{name}.py").write_text(text + "\nadded = 1\n")
            assert fingerprint(way) != known[name, way]
            (package / f"{name}.py").write_text(text)
            assert fingerprint(way) == known[name, way]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from neuralcodes import nothing", "nothing from neuralcodes, which does not define it"),
        ("import neuralcodes.nothing", r"neuralcodes\.nothing, which is in no file"),
        ("from neuralcodes.storage import nothing", "nothing from neuralcodes.storage"),
        ("from neuralcodes.storage.jobs import nothing", "import it from the module that does"),
        ("from neuralcodes import metrics", r"the face neuralcodes\.metrics"),
        ("import neuralcodes.metrics", r"the face neuralcodes\.metrics"),
        ("from neuralcodes.metrics import knn_accuracy", "knn_accuracy from neuralcodes.metrics"),
        ("from ..storage import jobs", "a relative import leads out of neuralcodes"),
    ],
)
def test_a_name_of_ours_that_is_in_no_file_is_an_error(library, fingerprint, text, message):
    with pytest.raises(provenance.UnresolvedImportError, match=message):
        fingerprint(text)


SCRIPTS = sorted((Path(__file__).parents[2] / "workflow/scripts").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_scripts_fingerprint_has_every_module_that_it_really_imports(script):
    imports = [
        ast.unparse(node)
        for node in ast.parse(script.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    program = "\n".join([*imports, "import sys", "print(*sys.modules)"])
    environment = {**os.environ, "PYTHONPATH": str(provenance.ROOT.parent)}
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    loaded = {name for name in run.stdout.split() if name.startswith("neuralcodes.")}
    assert loaded
    assert loaded <= set(provenance.digests(script))


DRAWING = {"plot_study", "plot_schematic", "render_report"}
SHOWING = DRAWING - {"plot_schematic"}  # what was measured
PERTURBED = {"perturb_ensemble", "perturb_codes", "measure_preactivations"}
ON_CODES = {"measure_codes", "measure_layers"}
ON_UNSEEN = {"measure_manifolds", "measure_locality", "measure_embedding"}
OF_HASH_NETWORKS = {*ON_UNSEEN, "measure_hash_retrieval"}
SEARCHING = {"measure_retrieval", "measure_hash_retrieval"}
TRAINING = {"train_ensemble", "train_hash_ensemble"}
ENCODING = {"encode_ensemble", "encode_random_inputs"}
# a model file may have networks of any architecture, and the report reads their names
OF_MODELS = {*TRAINING, *ENCODING, *PERTURBED, *OF_HASH_NETWORKS, "measure_regions"}
OF_MODELS |= {"render_report"}


def fingerprints():
    """The fingerprint of every rule, as the rules ask for it."""
    found = {
        path.stem: provenance.fingerprint(path, looks=path.stem in DRAWING)
        for path in SCRIPTS
        if path.stem != "measure_checkpoint"
    }
    for measure in registry.all_measures():
        name = measure.module.removeprefix("neuralcodes.").replace(".", "/")
        path = provenance.ROOT / f"{name}.py"
        found[measure.rule] = provenance.fingerprint(path, itself=True)
    return found


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """Name the rules whose fingerprint an edit of a module changes, which is undone again."""
    root = tmp_path_factory.mktemp("copy") / "neuralcodes"
    shutil.copytree(provenance.ROOT, root, ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "ROOT", root)
        before = fingerprints()

    def of(edit, module):
        path = root.joinpath(*module.split(".")).with_suffix(".py")
        text = path.read_text()
        assert edit(text) != text
        path.write_text(edit(text))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(provenance, "ROOT", root)
            found = fingerprints()
        path.write_text(text)
        return {rule for rule, each in found.items() if each != before[rule]}

    return of


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("metrics.redundancy", {*ON_CODES, "measure_random_inputs", "perturb_codes"}),
        ("metrics.neighbours", {*ON_CODES, "perturb_codes"}),
        ("metrics.logistic", ON_CODES),
        ("metrics.clustering", ON_CODES),
        ("metrics.regions", {"measure_regions"}),
        ("metrics.retrieval", SEARCHING),
        ("measures.codes", {"measure_codes"}),
        ("measures.layers", {"measure_layers"}),
        ("measures.random_inputs", {"measure_random_inputs"}),
        ("measures.regions", {"measure_regions"}),
        ("measures.history", {"measure_history"}),
        ("measures.perturbations", {"perturb_ensemble"}),
        ("measures.perturbed_codes", {"perturb_codes"}),
        ("measures.preactivations", {"measure_preactivations"}),
        ("measures.retrieval", {"measure_retrieval"}),
        ("measures.hash_retrieval", {"measure_hash_retrieval"}),
        ("measures.manifolds", {"measure_manifolds"}),
        ("measures.locality", {"measure_locality"}),
        ("measures.embedding", {"measure_embedding"}),
        ("measures.members", PERTURBED),
        ("measures.unseen", ON_UNSEEN),
        ("measures.registry", SHOWING),
        ("perturbation.equalchange", {"perturb_ensemble", "measure_preactivations"}),
        ("pipeline.encoding", ENCODING),
        ("manifolds.imagemanifolds", {"train_hash_ensemble", *OF_HASH_NETWORKS}),
        ("manifolds.locality", {"measure_manifolds", "measure_locality", *OF_HASH_NETWORKS}),
        ("manifolds.families", {"train_hash_ensemble", *OF_HASH_NETWORKS}),
        ("manifolds.manifolddata", {"train_hash_ensemble", *OF_HASH_NETWORKS}),
        ("manifolds.representations", OF_HASH_NETWORKS),
        ("manifolds.invariance", {"measure_manifolds"}),
        ("networks.hashnetworks", OF_MODELS),
        ("networks.architectures.small_cnn", OF_MODELS),
        ("networks.training.statefiles", TRAINING),
        ("figures.marks", SHOWING),
    ],
)
def test_an_edit_of_a_module_counts_for_the_rules_that_run_it(changed, module, rules):
    assert changed(lambda text: text + "ADDED = 1\n", module) == rules


@pytest.mark.parametrize(
    ("module", "label"),
    [("metrics.redundancy", '"Redundancy ratio"'), ("measures.locality", '"Cosine similarity"')],
)
def test_a_look_counts_for_the_rules_that_draw_and_for_no_other(changed, module, label):
    assert changed(lambda text: text.replace(label, '"Other"'), module) == SHOWING


def test_a_name_that_is_declared_otherwise_counts_for_both(changed):
    edit = lambda text: text.replace('name="lsh_cosine"', 'name="cosine"')  # noqa: E731
    assert changed(edit, "measures.locality") == {*SHOWING, "measure_locality"}


def test_a_new_declaration_counts_where_it_is_registered(library, fingerprint):
    plot = next(path for path in SCRIPTS if path.stem == "plot_study")
    before = provenance.fingerprint(plot, looks=True), fingerprint(MEASURING)
    write_package(
        provenance.ROOT / "metrics",
        added="METRIC = Metric(name='added', measure=len, look=Look('Added'))",
    )
    assert (provenance.fingerprint(plot, looks=True), fingerprint(MEASURING)) == before
    library(lambda text: f"from neuralcodes.metrics import added\n{text}", "metrics.registry")
    assert provenance.fingerprint(plot, looks=True) != before[0]
    assert fingerprint(MEASURING) != before[1]


def test_a_file_counts_itself_where_that_is_asked_for(tmp_path):
    path = tmp_path / "own.py"
    path.write_text("A = 1\n")
    first = provenance.fingerprint(path), provenance.fingerprint(path, itself=True)
    path.write_text("A = 2  # other\n")
    assert provenance.fingerprint(path) == first[0]
    assert provenance.fingerprint(path, itself=True) != first[1]


def test_a_missing_script_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.py"):
        provenance.fingerprint(tmp_path / "nothing.py")


def test_what_was_parsed_before_gives_the_same_fingerprint(library, fingerprint):
    first = fingerprint()
    cache = provenance.ROOT / provenance.CACHE
    assert cache.is_file()
    provenance._read_cache.cache_clear()
    assert fingerprint() == first
    library(lambda text: text + "\nchanged = 1\n", "storage.randomness")
    assert fingerprint() != first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"made_by": "another"}', "null"])
def test_a_damaged_or_foreign_cache_is_not_used(library, fingerprint, content):
    first = fingerprint()
    (provenance.ROOT / provenance.CACHE).write_text(content)
    provenance._read_cache.cache_clear()
    assert fingerprint() == first


def test_a_folder_that_cannot_be_written_to_is_no_hindrance(library, fingerprint):
    (provenance.ROOT / "__pycache__").write_text("a file in its place")
    assert len(fingerprint()) == 16


@pytest.fixture
def plugin(tmp_path, monkeypatch, library):
    """Write a plugin and import it; the library has a registry, used by what trains alone."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    write_package(provenance.ROOT, registry="def register(): ...", other="a = 1", unused="b = 2")

    def build(text, **beside):
        write_package(tmp_path, mine="", **beside)
        sys.modules.pop("mine", None)
        __import__("mine")
        write_package(tmp_path, mine=text)  # the library's copy is on no path

    yield build


def test_a_plugin_counts_where_its_registry_is_used(plugin, tmp_path):
    def of(text):
        script = tmp_path / "script.py"
        script.write_text(text)
        return provenance.fingerprint(script, plugins=["mine"])

    uses, does_not = "from neuralcodes import registry", "from neuralcodes import other"
    plugin("from neuralcodes.registry import register\nimport beside\nA = 1", beside="B = 1")
    before = of(uses), of(does_not)
    assert before[1] == provenance.fingerprint(tmp_path / "script.py")
    plugin("from neuralcodes.registry import register\nimport beside\nA = 2", beside="B = 1")
    changed = of(uses)
    assert changed != before[0]
    plugin("from neuralcodes.registry import register\nimport beside\nA = 2", beside="B = 2")
    assert of(uses) not in (changed, before[0])
    assert of(does_not) == before[1]


@pytest.mark.parametrize("text", ["A = {}", "from neuralcodes import unused\nA = {}"])
def test_a_plugin_without_a_registry_counts_everywhere(plugin, fingerprint, tmp_path, text):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    plugin(text.format(1))
    before = provenance.fingerprint(script, plugins=["mine"])
    plugin(text.format(2))
    assert provenance.fingerprint(script, plugins=["mine"]) != before


def test_what_a_plugin_imports_of_the_library_counts_with_it(plugin, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from neuralcodes import registry")
    plugin("from neuralcodes import registry, metrics\nfrom neuralcodes.unused import b")
    found = provenance.digests(script, plugins=["mine"])
    assert {"mine", "neuralcodes.unused", "neuralcodes.metrics.suite"} <= set(found)
    assert "neuralcodes.unused" not in provenance.digests(script)
