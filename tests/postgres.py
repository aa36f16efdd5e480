"""A PostgreSQL server of this machine's programs, in a folder of its own, for the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

MISSING = "there is no PostgreSQL server here: apt-get install postgresql"
PASSWORD = "s3cr3t-w0rd"
"""Of the user ``guarded``, who alone needs one."""
SETTINGS = {"listen_addresses": "127.0.0.1", "max_connections": "150", "autovacuum": "off"}
CARELESS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
"""What makes a server quick that need not survive its machine."""


def find_programs() -> str:
    """Return the folder of PostgreSQL's programs, the newest; "" if there is none."""
    found = shutil.which("initdb")
    if found:
        return str(Path(found).resolve().parent)
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(debian, key=lambda program: float(program.parts[-3]))
    return str(newest[-1].parent) if newest else ""


class Server:
    """A server on a port of its own; user ``ann`` needs no password, ``guarded`` needs one."""

    def __init__(
        self, folder: Path, programs: Path, port: int, account: str, settings: dict[str, str]
    ) -> None:
        self.folder, self.programs, self.port, self.account = folder, programs, port, account
        self.settings = settings

    def url(self, study: str = "", user: str = "ann", database: str = "races") -> str:
        """Return the URL of a study, or of the database."""
        at = f"postgresql://{user}@127.0.0.1:{self.port}/{database}"
        return f"{at}?study={study}" if study else at

    def sql(self, statement: str, *values: object, database: str = "races") -> list[Any]:
        """Do something as the superuser; return the rows."""
        url = self.url(user="root", database=database)
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def end_sessions(self) -> int:
        """End the sessions of all journals; return their number."""
        return len(
            self.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE 'surefoot%%'"
            )
        )

    def dumped(self, study: str) -> list[Any]:
        """Return all rows of all tables of a study."""
        schema = f"surefoot_{study}"
        names = self.sql("SELECT tablename FROM pg_tables WHERE schemaname = %s", schema)
        return [self.sql(f'SELECT * FROM "{schema}"."{name}"') for (name,) in names]

    def processes(self) -> list[int]:
        """Return the server's processes: the first of all, and one per session and duty."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        options += f" -p {self.port} -k {self.folder}"
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; ``immediate`` is as a crash."""
        self._control("stop", "-m", mode)

    def _control(self, *arguments: str) -> None:
        self.program("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "60", *arguments)

    def program(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs, which refuse to run as root."""
        change = ["setpriv", f"--reuid={self.account}", f"--regid={_group(self.account)}"]
        change += ["--clear-groups"]
        done = subprocess.run(
            [*(change if os.getuid() == 0 else []), str(self.programs / name), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{name} {' '.join(arguments)}: {done.stderr.strip()}")


def _group(account: str) -> int:
    return pwd.getpwnam(account).pw_gid


@contextmanager
def running(within: Path | None = None, *, durable: bool = False) -> Iterator[Server]:
    """Start a server in a folder of its own; without one the test fails.

    ``durable`` is one whose commits are on the disk.
    """
    programs = find_programs()
    if not programs:
        pytest.fail(MISSING)
    known = {entry.pw_name for entry in pwd.getpwall()}
    account = "postgres" if "postgres" in known else "nobody"
    folder = Path(tempfile.mkdtemp(prefix="surefoot-pg-", dir=within))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, account)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = SETTINGS if durable else SETTINGS | CARELESS
        server = Server(folder, Path(programs), port, account, settings)
        data = str(folder / "data")
        server.program("initdb", "-D", data, "-U", "root", "-A", "trust", "-N", "-E", "UTF8")
        hba = folder / "data" / "pg_hba.conf"
        guarded = "host all guarded 127.0.0.1/32 scram-sha-256\n"
        hba.write_text(guarded + hba.read_text())
        server.start()
        try:
            server.sql("CREATE ROLE ann LOGIN", database="postgres")
            server.sql(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'", database="postgres")
            server.sql("CREATE DATABASE races OWNER ann", database="postgres")
            server.sql("GRANT CREATE ON DATABASE races TO guarded")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
