"""Circumstances of a run: versions of the software, the commit and the computer."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

# What results depend on; the rest of the environment is pinned in pyproject.toml.
PACKAGES = (
    *("neuralcodes", "snakemake", "torch", "numpy", "scipy", "scikit-learn", "faiss-cpu"),
    *("pandas", "matplotlib", "plotly"),
)


def versions() -> dict[str, str]:
    """Give the versions of Python and of the packages there that results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """Say what computer this is: system and processor architecture, no names."""
    return f"{platform.system()}, {platform.machine()}"


def commit(project: Path) -> str | None:
    """Give the git commit of a project.

    Args:
        project: its folder.

    Returns:
        40 hex digits, followed by " with changes" where tracked files differ from it; None where
        there is no git, or the folder is no working tree of its own.
    """
    top = _git(project, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != project.resolve():
        return None
    head = _git(project, "rev-parse", "HEAD")
    changed = _git(project, "status", "--porcelain", "--untracked-files=no")
    return f"{head} with changes" if head and changed else head


def _git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
