"""Fingerprints of code: a rule reruns when library code below its script changes, only then.

What is presentation alone, arguments of the name `look`, counts for the rules that draw.
"""

import ast
import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

PACKAGE = "neuralcodes"
ROOT = next(path for path in Path(__file__).parents if path.name == PACKAGE)
# Parsing every module takes longer than all else that reading the workflow does, and a cluster's
# jobs read it too. Like Python's own compiled files: by content, and only a convenience.
CACHE = "__pycache__/fingerprints.json"
LOOK = "look"  # the argument that says how something is shown
# Registries of declarations of which a script that draws asks the looks alone.
DECLARED = ("neuralcodes.metrics.registry", "neuralcodes.measures.registry")
_FOR_TYPE_CHECKERS = ("TYPE_CHECKING", "typing.TYPE_CHECKING")


class UnresolvedImportError(ImportError):
    """An import of this package that names no file and no name in one."""


def fingerprint(
    script: Path, looks: bool = False, itself: bool = False, plugins: Sequence[str] = ()
) -> str:
    """Digest the library modules that a script imports, transitively within the package.

    Docstrings, those of a class's fields too, comments, formatting and looks do not count; every
    other edit does.

    Args:
        script: a Python file.
        looks: whether it draws. Looks count then, and of what the registries `DECLARED` hold
            they alone.
        itself: whether the file counts, too; Snakemake watches a rule's script, and no other.
        plugins: the user's own modules, imported before, of which `digests` takes what counts.

    Returns:
        16 hex digits.

    Raises:
        FileNotFoundError: there is no such script.
        UnresolvedImportError: see `digests`.
    """
    found = digests(script, looks, plugins)
    if itself:
        found[""] = _Parsed(ROOT / CACHE).module(script).digest
    text = "\n".join(f"{name} {digest}" for name, digest in found.items())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digests(script: Path, looks: bool = False, plugins: Sequence[str] = ()) -> dict[str, str]:
    """Digest each library module that counts in a script's fingerprint.

    A plugin counts where the script uses a registry that the plugin imports, a registry being a
    module with a function `register`; one that imports none counts everywhere. With it count the
    modules beside it and of the library that it imports.

    Args:
        script: a Python file.
        looks: as for `fingerprint`.
        plugins: the user's own modules, imported before.

    Returns:
        Module -> digest of its code, sorted by name; a package stands for its `__init__`. The
        package itself, `neuralcodes`, is left out: its version alone is in it.

    Raises:
        FileNotFoundError: there is no such script.
        UnresolvedImportError: a name of this package is in no file, or it is one of those that a
            package's face brings on demand, so that what lies behind it would not count.
    """
    parsed = _Parsed(ROOT / CACHE)
    seen: dict[str, str] = {}
    direct = _modules(parsed, parsed.module(script), package="", place=str(script))
    _follow(parsed, direct, seen, looks)
    for plugin in plugins:
        own, used = _plugin(parsed, plugin)
        registries = {name for name in used if "register" in parsed.module(_file(name)).names}
        if registries and not registries & seen.keys():
            continue
        if looks and registries and registries <= {*DECLARED}:
            seen |= {name: module.looks for name, module in own.items()}
            continue
        seen |= {name: _digest(module, looks) for name, module in own.items()}
        _follow(parsed, used, seen, looks)
    parsed.save()
    seen.pop(PACKAGE, None)
    return {name: seen[name] for name in sorted(seen)}


def _follow(parsed: "_Parsed", names: Iterable[str], seen: dict[str, str], looks: bool) -> None:
    """Add modules and all that they import."""
    declared: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        path = _file(name)
        module = parsed.module(path)
        seen[name] = _digest(module, looks)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        below = list(_modules(parsed, module, package, place=name))
        if looks and name in DECLARED:
            held = _imported_whole(module) - set(DECLARED)
            declared |= held
            below = [each for each in below if each not in held]
        pending += below
    for name in declared - set(seen):
        seen[name] = parsed.module(_file(name)).looks


def _digest(module: "_Module", looks: bool) -> str:
    return f"{module.digest} {module.looks}" if looks else module.digest


def _plugin(parsed: "_Parsed", plugin: str) -> tuple[dict[str, "_Module"], set[str]]:
    """Find a plugin and the modules beside it that it imports; name ours that these import."""
    origin = Path(str(sys.modules[plugin].__file__))
    depth = plugin.count(".") + (origin.name == "__init__.py")
    folder, own, used, pending = origin.parents[depth], {}, set(), [plugin]
    while pending:
        name = pending.pop()
        path = folder.joinpath(*name.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name in own or not path.is_file():
            continue
        own[name] = module = parsed.module(path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for level, target, names in module.imports:
            above = package.split(".")
            start = [".".join(above[: len(above) - level + 1])] if level else []
            target = ".".join([*start, *filter(None, [target])])
            below = [f"{target}.{each}" for each in names]
            if target.split(".")[0] != PACKAGE:
                pending += [*_with_packages(target), *below]
                continue
            for each in filter(_is_module, [target, *below]):
                face = each != PACKAGE and parsed.module(_file(each)).lazy
                used |= {each} if not face else _all_below(each)
    return own, used


def _all_below(package: str) -> set[str]:
    folder = _file(package).parent
    inner = (path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py"))
    names = (".".join([package, *path.parts]).removesuffix(".__init__") for path in inner)
    return {name for name in names if name != package}


class _Module(NamedTuple):
    """What counts of a file.

    Attributes:
        digest: of its code, without looks.
        looks: digest of these; "" where it declares none.
        imports: (level, module, names) of every import, those of other packages included.
        names: what it binds at its top.
        lazy: whether it brings further names on demand.
    """

    digest: str
    looks: str
    imports: list[tuple[int, str, list[str]]]
    names: list[str]
    lazy: bool


def _file(name: str) -> Path:
    """Find the file of a dotted name, or raise LookupError."""
    path = ROOT.joinpath(*name.split(".")[1:])
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    raise LookupError(name)


def _is_module(name: str) -> bool:
    with contextlib.suppress(LookupError):
        return bool(_file(name))
    return False


def _modules(parsed: "_Parsed", module: _Module, package: str, place: str) -> Iterator[str]:
    """Name the modules of this package that a module runs when it is imported or used."""
    for level, target, names in module.imports:
        if level:
            above = package.split(".")
            if not package or level > len(above):
                raise UnresolvedImportError(f"{place}: a relative import leads out of {PACKAGE}")
            target = ".".join([*above[: len(above) - level + 1], *filter(None, [target])])
        if target.split(".")[0] != PACKAGE:
            continue
        if not _is_module(target):
            raise UnresolvedImportError(f"{place} imports {target}, which is in no file of ours")
        yield from _with_packages(target)
        for name in names:
            yield from _named(parsed, target, name, place)
        if not names:
            _refuse_face(parsed, target, place)


def _imported_whole(module: _Module) -> set[str]:
    """Name the modules that a module imports as such, rather than names out of them."""
    named = {f"{target}.{name}" for _, target, names in module.imports for name in names}
    return {each for each in named if each.startswith(f"{PACKAGE}.") and _is_module(each)}


def _named(parsed: "_Parsed", target: str, name: str, place: str) -> Iterator[str]:
    below = f"{target}.{name}"
    if _is_module(below):
        _refuse_face(parsed, below, place)
        yield below
    elif name not in parsed.module(_file(target)).names:
        raise UnresolvedImportError(
            f"{place} imports {name} from {target}, which does not define it; "
            "import it from the module that does"
        )


def _refuse_face(parsed: "_Parsed", name: str, place: str) -> None:
    if parsed.module(_file(name)).lazy:
        raise UnresolvedImportError(
            f"{place} imports the face {name}, whose names come on demand, so that no fingerprint "
            "sees them; import the module that defines what is needed"
        )


def _with_packages(name: str) -> Iterable[str]:
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


class _Parsed:
    """Files as they were parsed before, by their content."""

    def __init__(self, path: Path) -> None:
        self.path, self.before = path, _read_cache(path)
        self.known = dict(self.before)
        self.by_path: dict[Path, _Module] = {}

    def module(self, path: Path) -> _Module:
        if path not in self.by_path:
            source = path.read_bytes()
            key = hashlib.sha256(source).hexdigest()
            if key not in self.known:
                self.known[key] = _parse(source)
            self.by_path[path] = self.known[key]
        return self.by_path[path]

    def save(self) -> None:
        if self.known.keys() == self.before.keys():
            return
        _read_cache.cache_clear()
        temporary = self.path.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):  # e.g. a read-only installation
            self.path.parent.mkdir(exist_ok=True)
            temporary.write_text(json.dumps({"made_by": _maker(), "files": self.known}))
            temporary.replace(self.path)


@functools.cache
def _read_cache(path: Path) -> dict[str, _Module]:
    try:
        content = json.loads(path.read_text())
        if content["made_by"] == _maker():
            return {key: _Module(*each) for key, each in content["files"].items()}
    except (OSError, ValueError, TypeError, LookupError):
        pass
    return {}


@functools.cache
def _maker() -> str:
    """Name what decides how a file is parsed: this file and Python's version."""
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return f"{own} {sys.version_info.major}.{sys.version_info.minor}"


def _parse(source: bytes) -> _Module:
    tree = ast.parse(source)
    imports = sorted(_imports(tree))
    names = sorted(_bound(tree.body))
    looks = "\n".join(_taken_looks(tree))
    digests = [
        hashlib.sha256(text.encode()).hexdigest() if text else ""
        for text in (ast.dump(_without_docstrings(tree)), looks)
    ]
    return _Module(*digests, imports, names, "__getattr__" in names)


def _imports(tree: ast.AST) -> list[tuple[int, str, list[str]]]:
    """List every import, at the top or inside functions.

    Imports for type checkers alone do not count: they are not run.
    """
    found = []
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) in _FOR_TYPE_CHECKERS
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            found.append((node.level, node.module or "", [alias.name for alias in node.names]))
        elif isinstance(node, ast.Import):
            found += [(0, alias.name, []) for alias in node.names]
    return found


def _bound(body: Iterable[ast.stmt]) -> set[str]:
    """Name what statements at a module's top bind, in branches and loops too."""
    names: set[str] = set()
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue  # what is bound inside is not the module's
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        pending += ast.iter_child_nodes(node)
    return names


def _taken_looks(tree: ast.Module) -> Iterator[str]:
    """Take the looks out of a module, each with the name of what looks so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = {each.arg: each.value for each in node.keywords}
            if LOOK in given:
                name = given.get("name")
                yield f"{ast.dump(name) if name else ''} {ast.dump(given[LOOK])}"
                node.keywords = [each for each in node.keywords if each.arg != LOOK]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Take out docstrings, and in classes what stands below a field to say what it means."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.body = [each for each in node.body if not _is_text(each)] or [ast.Pass()]
        elif isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body and _is_text(node.body[0])
            node.body = (node.body[1:] or [ast.Pass()]) if docstring else node.body
    return tree


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
