"""A small disk of memory that can be filled or made read-only, in a mount namespace of its own."""

import errno
import subprocess
from dataclasses import dataclass
from pathlib import Path

from projects import Project

MOUNT = 'mount -t tmpfs -o "size=$1" tmpfs "$0" && echo ready && exec cat'
BALLAST = "ballast"


class Disk:
    """Mounted on a folder for the commands that enter it, as long as it is not closed."""

    def __init__(self, folder: Path, size: str) -> None:
        """Mount it.

        Args:
            folder: where; it is made.
            size: as tmpfs takes it, e.g. "4m".

        Raises:
            FileNotFoundError: this system has no unshare.
            PermissionError: it lets nobody but root mount anything.
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for user in ([], ["--user", "--map-root-user"]):
            self.process = subprocess.Popen(
                ["unshare", *user, "--mount", "sh", "-c", MOUNT, str(folder), size],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            self.entering = ["nsenter", f"--target={self.process.pid}", "--mount"]
            if user:
                self.entering += ["--user", "--preserve-credentials"]
            if self.process.stdout.readline():
                return
            self.close()
        raise PermissionError(errno.EPERM, "no disk can be mounted without root", str(folder))

    @property
    def view(self) -> Path:
        """The folder as it is seen from outside."""
        return Path(f"/proc/{self.process.pid}/root", *self.folder.parts[1:])

    def entered(self, command: list[str], folder: Path) -> list[str]:
        """A command that runs in a folder and sees the disk."""
        return [*self.entering, "sh", "-c", 'cd "$0" && exec "$@"', str(folder), *command]

    def fill(self) -> None:
        """Leave no space at all."""
        with (self.view / BALLAST).open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError as error:
                assert error.errno == errno.ENOSPC, error

    def free(self) -> None:
        """Give the space back."""
        (self.view / BALLAST).unlink()

    def make(self, mode: str) -> None:
        """Make it read-only ("ro") or writable ("rw")."""
        command = ["mount", "-o", f"remount,bind,{mode}", str(self.folder)]
        subprocess.run(self.entered(command, Path("/")), check=True)

    def close(self) -> None:
        """Unmount it; what was on it is gone."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@dataclass(frozen=True)
class ProjectWithDisk(Project):
    """A project whose snakemake sees a disk.

    Attributes:
        disk: what it sees.
        inside: the project's folder as it is seen there.
    """

    disk: Disk
    inside: Path

    def command(self, *arguments: str, cores: int = 1) -> list[str]:
        return self.disk.entered(super().command(*arguments, cores=cores), self.inside)
