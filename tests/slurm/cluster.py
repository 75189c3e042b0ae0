"""A real SLURM of one node, in a folder of its own and on this machine's loopback alone."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# Debian's packages munge, slurmctld, slurmd and slurm-client; with accounting slurmdbd and
# mariadb-server.
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
ACCOUNTING_PROGRAMS = ("slurmdbd", "sacct", "sacctmgr", "mariadbd", "mariadb-install-db", "mariadb")
NAME = "neuralcodes"
ACCOUNT = "lab"
PARTITIONS = ("short", "long")
SLOTS = 4  # processors that the node offers, whatever the machine has
WAIT_S = 60

CONFIGURATION = """\
ClusterName={name}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SchedulerParameters=sched_interval=1
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/node
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/node.pid
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/node.log
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
MailProg=/bin/true
MinJobAge=7200
{accounting}
NodeName={host} NodeAddr=127.0.0.1 CPUs={slots} RealMemory={memory} State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=long Nodes={host} MaxTime=INFINITE State=UP
"""
WITHOUT_ACCOUNTING = "AccountingStorageType=accounting_storage/none"
WITH_ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket"""
DATABASE_DAEMON = """\
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={port}
SlurmUser={user}
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={storage_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=accounting
LogFile={folder}/accounting.log
PidFile={folder}/accounting.pid
"""


class Cluster:
    """A running cluster; `environment` makes SLURM's commands speak to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        self.user = pwd.getpwuid(os.getuid()).pw_name
        programs = folder / "bin"
        self.environment = {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        }
        # a job step loses SLURM's variables; elsewhere srun finds its file in /etc
        programs.mkdir(parents=True)
        shim = programs / "srun"
        real, configured = shutil.which("srun"), folder / "slurm.conf"
        shim.write_text(f'#!/bin/sh\nSLURM_CONF="{configured}" exec {real} "$@"\n')
        shim.chmod(0o755)

    def command(self, *arguments: str) -> str:
        """Run one of SLURM's commands against this cluster; its output."""
        done = subprocess.run(
            arguments,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT_S,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def jobs(self, states: str = "all", form: str = "%i|%T|%k") -> list[list[str]]:
        """The jobs that the cluster remembers, as id, state and comment."""
        listed = self.command("squeue", "--noheader", f"--states={states}", f"--format={form}")
        return [line.split("|") for line in listed.splitlines()]

    def start(self, *command: str) -> None:
        """Start a daemon that stays in the foreground."""
        with (self.folder / f"{command[0]}.out").open("w") as log:
            process = subprocess.Popen(
                command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)

    def stop(self) -> None:
        """Cancel what runs, then end the daemons that were started here, the last one first."""
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.command("scancel", f"--user={self.user}")
            wait_until(lambda: not self.jobs("running,completing"), "jobs that end", 30)
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def missing(accounting: bool = False) -> list[str]:
    """The programs that are not installed here."""
    needed = PROGRAMS + (ACCOUNTING_PROGRAMS if accounting else ())
    return [name for name in needed if shutil.which(name) is None]


@contextlib.contextmanager
def running(folder: Path, accounting: bool = False) -> Iterator[Cluster]:
    """Bring up a cluster in a folder of its own and take it down again."""
    cluster = Cluster(folder)
    try:
        _start_munge(cluster)
        stored = WITHOUT_ACCOUNTING
        if accounting:
            stored = _start_accounting(cluster)
        _configure(cluster, stored)
        cluster.start("slurmctld", "-D")
        if accounting:
            _add_account(cluster)
        cluster.start("slurmd", "-D", "-N", socket.gethostname())
        wait_until(lambda: "idle" in _output(cluster, "sinfo", "-h", "-o", "%T"), "an idle node")
        yield cluster
    finally:
        cluster.stop()


def wait_until(holds: Callable[[], bool], what: str, seconds: float = WAIT_S) -> None:
    """Wait for something; an assertion fails where it does not come."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds} s in vain for {what}"
        time.sleep(0.1)


def _start_munge(cluster: Cluster) -> None:
    folder = cluster.folder / "munge"
    folder.mkdir(mode=0o700)
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o400)
    socket_file = cluster.folder / "munge.socket"
    cluster.start(
        "munged",
        "--foreground",
        "--force",  # its folder is below one that others may write to
        f"--socket={socket_file}",
        f"--key-file={folder}/key",
        f"--pid-file={folder}/pid",
        f"--log-file={folder}/log",
        f"--seed-file={folder}/seed",
    )
    wait_until(socket_file.exists, "munge")


def _start_accounting(cluster: Cluster) -> str:
    """Start the database and its daemon; the lines of slurm.conf that name them."""
    folder, port, storage_port = cluster.folder, _free_port(), _free_port()
    data, mysql = folder / "database", folder / "database.socket"
    subprocess.run(
        [
            *("mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={cluster.user}"),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        ],
        check=True,
        capture_output=True,
    )
    cluster.start(
        *("mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={mysql}"),
        *("--bind-address=127.0.0.1", f"--port={storage_port}", f"--user={cluster.user}"),
        *(f"--pid-file={folder}/database.pid", "--innodb-buffer-pool-size=64M"),
    )
    wait_until(mysql.exists, "the database")
    grant = (
        "create user slurm@'127.0.0.1' identified by 'slurm'; create database accounting;"
        "grant all on accounting.* to slurm@'127.0.0.1';"
    )
    cluster.command("mariadb", "--no-defaults", f"--socket={mysql}", "-u", "root", "-e", grant)
    path = folder / "slurmdbd.conf"
    path.write_text(
        DATABASE_DAEMON.format(
            folder=folder, port=port, storage_port=storage_port, user=cluster.user
        )
    )
    path.chmod(0o600)
    lines = WITH_ACCOUNTING.format(port=port, folder=folder)
    _configure(cluster, lines)  # the daemon's file lies beside it
    cluster.start("slurmdbd", "-D")
    wait_until(lambda: "Cluster" in _output(cluster, "sacctmgr", "list", "cluster"), "accounting")
    return lines


def _add_account(cluster: Cluster) -> None:
    def known() -> bool:
        return NAME in _output(cluster, "sacctmgr", "-nP", "list", "cluster")

    wait_until(known, "the controller's registration")
    cluster.command("sacctmgr", "-i", "add", "account", ACCOUNT, f"cluster={NAME}")
    cluster.command("sacctmgr", "-i", "add", "user", cluster.user, f"account={ACCOUNT}")


def _configure(cluster: Cluster, accounting: str) -> None:
    folder = cluster.folder
    for name in ("controller", "node"):
        (folder / name).mkdir(exist_ok=True)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    path = folder / "slurm.conf"
    if path.exists():
        return
    path.write_text(
        CONFIGURATION.format(
            name=NAME,
            host=socket.gethostname(),
            controller_port=_free_port(),
            node_port=_free_port(),
            user=cluster.user,
            folder=folder,
            slots=SLOTS,
            memory=memory * 9 // 10,
            accounting=accounting,
        )
    )


def _output(cluster: Cluster, *command: str) -> str:
    with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
        return cluster.command(*command)
    return ""


def _free_port() -> int:
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]
