"""Fingerprints of code: a rule reruns when library code below its script changes, only then."""

import ast
import contextlib
import functools
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

PACKAGE = "neuralcodes"
ROOT = Path(__file__).parent
# Parsing every module takes longer than all else that reading the workflow does, and a cluster's
# jobs read it too. Like Python's own compiled files: by content, and only a convenience.
CACHE = "__pycache__/fingerprints.json"
_FOR_TYPE_CHECKERS = ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def fingerprint(script: Path) -> str:
    """Digest the library modules that a script imports, transitively within the package.

    Docstrings, comments and formatting do not count; every other edit does.

    Args:
        script: a Python file.

    Returns:
        16 hex digits.

    Raises:
        FileNotFoundError: there is no such script.
    """
    text = "\n".join(f"{name} {digest}" for name, digest in digests(script).items())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digests(script: Path) -> dict[str, str]:
    """Digest each library module that counts in a script's fingerprint.

    Args:
        script: a Python file.

    Returns:
        Module -> digest of its code, sorted by name.

    Raises:
        FileNotFoundError: there is no such script.
    """
    parsed = _Parsed(ROOT / CACHE)
    pending, seen = list(parsed.module(script).imports), {}
    while pending:
        name = pending.pop()
        path = ROOT / f"{name}.py"
        if name not in seen and path.is_file():
            seen[name] = parsed.module(path)
            pending += seen[name].imports
    parsed.save()
    return {name: seen[name].digest for name in sorted(seen)}


class _Module(NamedTuple):
    """What counts of a file: a digest of its code and the names that it imports."""

    digest: str
    imports: list[str]


class _Parsed:
    """Files as they were parsed before, by their content."""

    def __init__(self, path: Path) -> None:
        self.path, self.before = path, _read_cache(path)
        self.known = dict(self.before)

    def module(self, path: Path) -> _Module:
        source = path.read_bytes()
        key = hashlib.sha256(source).hexdigest()
        if key not in self.known:
            tree = ast.parse(source)
            imports = sorted(_imports(tree))
            dumped = ast.dump(_without_docstrings(tree)).encode()
            self.known[key] = _Module(hashlib.sha256(dumped).hexdigest(), imports)
        return self.known[key]

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


def _imports(tree: ast.AST) -> frozenset[str]:
    """Name the package's modules that a tree imports, at the top or inside functions.

    Imports for type checkers alone do not count: they are not run.
    """
    found = set()
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
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names = (alias.name.split(".") for alias in node.names)
            found |= {parts[1] for parts in names if parts[0] == PACKAGE and len(parts) > 1}
    return frozenset(found)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            node.body = body[1:] or [ast.Pass()]
    return tree
