"""What every rule, script and module of the project has in common."""

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from projects import ROOT

pytestmark = pytest.mark.workflow

RULE_FILES = sorted((ROOT / "rules").glob("*.smk"))
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))
MODULES = sorted((ROOT / "src/neuralcodes").rglob("*.py"))
# The rule of each measure is made of its declaration; one script serves them all.
MEASURING = "measure_checkpoint"
VERBS = {
    "download",
    "prepare",
    "train",
    "encode",
    "measure",
    "perturb",
    "tabulate",
    "typeset",
    "plot",
    "render",
    "score",
}
HEAVY = ("torch", "torchvision", "sklearn", "matplotlib", "pandas", "plotly")


def rules():
    """Every rule: its name -> its docstring and directives with their text."""
    found = {}
    for path in RULE_FILES:
        for block in re.split(r"^(?= *rule\b)", path.read_text(), flags=re.MULTILINE)[1:]:
            block = textwrap.dedent(block)
            name = re.match(r"rule ?(\w*):\n", block)[1] or MEASURING
            parts = re.split(r"^    (\w+):", block, flags=re.MULTILINE)
            docstring = re.match(r'rule ?\w*:\n    """([^"]+)"""\n', parts[0])
            directives = dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))
            found[name] = docstring and docstring[1], directives
    return found


RULES = rules()


def each(items):
    return pytest.mark.parametrize("path", items, ids=[path.name for path in items])


def lines(path):
    return len(path.read_text().splitlines())


def test_every_script_has_its_rule_and_every_rule_its_script():
    assert {path.stem for path in SCRIPTS} == set(RULES)


@pytest.mark.parametrize("name", sorted(RULES))
def test_rules_keep_to_the_conventions(name):
    docstring, directives = RULES[name]
    verb, _, noun = name.partition("_")
    assert verb in VERBS, "named verb_noun"
    assert noun
    assert docstring, "a docstring"
    assert docstring[0].isupper(), "that is a sentence"
    assert docstring.endswith(".")
    assert directives["script"] == f'"../workflow/scripts/{name}.py"'
    folder = name
    if name == MEASURING:
        folder = directives["name"]
        assert folder == "measure.rule"
        folder = f"{{{folder}}}"
    code = "code_of_measure(measure)" if name == MEASURING else f'code_of("{name}"'
    assert f"code={code}" in directives["params"]
    assert re.match(rf'f?"logs/{re.escape(folder)}/', directives["log"])
    assert {"run", "shell"}.isdisjoint(directives)
    if "cache" in directives:
        assert "benchmark" not in directives, "snakemake forbids it"
    else:
        assert f"benchmarks/{folder}/" in directives["benchmark"]


@pytest.mark.parametrize("name", sorted(set(RULES) - {"download_data", "prepare_data"}))
def test_rules_that_compute_say_what_they_need(name):
    assert "mem_mb=" in RULES[name][1]["resources"]
    assert "runtime=" in RULES[name][1]["resources"]


def test_data_and_models_are_cached_between_workflows():
    cached = {name for name, (_, directives) in RULES.items() if "cache" in directives}
    assert cached == {"prepare_data", "train_ensemble", "train_hash_ensemble"}


def test_all_wildcards_are_constrained():
    common = (ROOT / "rules/common.smk").read_text()
    block = re.search(r"^wildcard_constraints:\n((?:    .*\n)+)", common, re.MULTILINE)[1]
    constrained = set(re.findall(r"^    (\w+)=", block, re.MULTILINE))
    text = "\n".join(path.read_text() for path in RULE_FILES)
    used = set(re.findall(r"\{([a-z_]+)\}", text)) - {"script"}
    assert used == constrained


@pytest.mark.parametrize("name", sorted(RULES))
def test_figures_and_tables_are_marked_for_snakemakes_own_report(name):
    # which files they are, and that all are shown, is tested on a real report
    made = name.partition("_")[0] in {"tabulate", "typeset", "plot"}
    assert not made or "report(" in RULES[name][1]["output"]


def test_every_caption_is_there_and_used():
    sources = [*RULE_FILES, ROOT / "src/neuralcodes/pipeline/reportmarks.py"]
    text = "\n".join(path.read_text() for path in sources)
    used = re.findall(r'of_study\(\s*(?:SETTINGS|settings), "(\w+)"|/(\w+)\.rst"', text)
    there = {path.stem for path in (ROOT / "workflow/report").glob("*.rst")}
    assert {name for pair in used for name in pair if name} == there


def test_input_functions_are_few_and_stand_together():
    for path in RULE_FILES:
        if path.name != "common.smk":
            assert not re.search(r"^def ", path.read_text(), re.MULTILINE)


@each(SCRIPTS)
def test_scripts_only_read_call_and_write(path):
    tree = ast.parse(path.read_text())
    assert lines(path) <= 25
    assert ast.get_docstring(tree)
    forbidden = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.Try)
    assert not [node for node in ast.walk(tree) if isinstance(node, forbidden)]
    assert "jobs.logged(snakemake.log[0]" in path.read_text()


def test_the_library_knows_nothing_of_snakemake():
    for path in MODULES:
        modules = {name.split(".")[0] for name in imports(ast.parse(path.read_text()))}
        assert "snakemake" not in modules, path


@pytest.fixture(scope="module")
def parsed():
    """The heavy modules that reading the Snakefile imports."""
    text = "\n".join(path.read_text() for path in [ROOT / "Snakefile", *RULE_FILES])
    lines = re.findall(r"^(?:from [\w.]+ )?import [^\n]+", text, re.MULTILINE)
    assert any("neuralcodes" in line for line in lines)
    return imported("\n".join(lines))


def test_reading_the_snakefile_imports_nothing_heavy(parsed):
    assert parsed == []


def test_the_script_that_measures_does_not_import_torch():
    tree = ast.parse((ROOT / f"workflow/scripts/{MEASURING}.py").read_text())
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert "torch" not in imported("\n".join(map(ast.unparse, top)))


def imported(program):
    """The heavy modules that a program imports, in a process of its own."""
    program += f"\nimport sys\nprint([each for each in {HEAVY} if each in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path.home()
    )
    return ast.literal_eval(done.stdout)


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
