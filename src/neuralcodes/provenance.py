"""Fingerprints of code: a rule reruns when library code below its script changes, only then."""

import ast
import functools
import hashlib
from pathlib import Path

PACKAGE = "neuralcodes"
ROOT = Path(__file__).parent
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
    pending, seen = sorted(_imports(ast.parse(script.read_text()))), set()
    while pending:
        module = pending.pop()
        if module not in seen:
            seen.add(module)
            pending += sorted(_imported_by(module) - seen)
    text = "\n".join(f"{module} {_digest(module)}" for module in sorted(seen))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.cache
def _digest(module: str) -> str:
    tree = ast.parse((ROOT / f"{module}.py").read_text())
    return hashlib.sha256(ast.dump(_without_docstrings(tree)).encode()).hexdigest()


@functools.cache
def _imported_by(module: str) -> frozenset[str]:
    return _imports(ast.parse((ROOT / f"{module}.py").read_text()))


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
    return frozenset(name for name in found if (ROOT / f"{name}.py").is_file())


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
