"""Where a journal is: in a file or on a PostgreSQL server, named without its password."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from surefoot.errors import JournalError

MEMORY = ":memory:"
"""Place of a journal that lives in memory only and is lost when closed."""

SERVER = "postgresql://user@host/database?study=NAME"
"""The form of a place on a server."""

_SECRETS = ("password", "sslpassword")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_STUDY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,52}")
_PASSWORD = re.compile(r"(postgres(?:ql)?(?:\+\w+)?://[^\s:/?@]*):\S*(?=@)")
_PARAMETER = re.compile(r"((?:ssl)?password=)[^\s&'\"]*")


@dataclass(frozen=True)
class Place:
    """Where a journal is, made by `Place.of`; its text holds no password.

    ``file`` is None in memory and on a server, whose ``url`` says which database, as libpq reads
    it. ``study`` is the journal's name there; empty for a whole database. ``secrets`` are
    parameters of the connection that nobody is shown.
    """

    file: Path | None = None
    url: str = ""
    study: str = ""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, where: str | os.PathLike[str]) -> Place:
        """Return the place that a path or a URL names.

        A URL is one of libpq's, to which ``study=NAME`` is added:
        ``postgresql://user@host:5432/database?sslmode=require&study=NAME``; ``postgres://`` and
        ``postgresql+psycopg://`` mean the same. What it leaves out comes from where libpq takes it:
        PGHOST, PGUSER, PGPASSWORD, …, ~/.pgpass, and ``service=`` from ~/.pg_service.conf.

        Raises `JournalError` for a URL of another kind, or one that cannot be read.

        >>> place = Place.of("postgresql://ann:secret@db.example/races?study=energy")
        >>> str(place), place.study
        ('postgresql://ann@db.example/races?study=energy', 'energy')
        >>> Place.of("runs/energy.db").stem
        'energy'
        """
        if isinstance(where, Place):
            return where
        text = os.fspath(where)
        if text == MEMORY:
            return cls()
        scheme = _SCHEME.match(text)
        if scheme is None:
            if re.match(r"postgres(ql)?(\+psycopg)?:/", text):
                raise JournalError("the URL of a server was given as a path: give it as text")
            return cls(Path(text))
        if scheme[1].lower() not in ("postgresql", "postgres", "postgresql+psycopg"):
            raise JournalError(
                f"a journal cannot be at {scheme[0]}…: give a file, or a server as {SERVER}"
            )
        return cls(None, *_parts(text[scheme.end() :]))

    @property
    def stem(self) -> str:
        """What files that belong to the journal are named after."""
        return self.study if self.file is None else self.file.stem

    def named(self) -> Place:
        """Return this place of one journal; `JournalError` if it is a whole database."""
        if self.url and not self.study:
            raise JournalError(
                f"{self} names a database and no study in it: add ?study=NAME, as in {SERVER}; "
                f"'surefoot journals {self}' lists those there are"
            )
        return self

    def beside(self, suffix: str) -> Path:
        """Return the name of a file that belongs to the journal: beside its file, or here."""
        return Path(self.study + suffix) if self.file is None else self.file.with_suffix(suffix)

    def of_study(self, name: str) -> Place:
        """Return the place of a study in the same database."""
        return Place(None, self.url, name, self.secrets)

    def __fspath__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if self.file is not None:
            return str(self.file)
        if not self.url:
            return MEMORY
        more = "&" if "?" in self.url else "?"
        return f"{self.url}{more}study={self.study}" if self.study else self.url


def without_passwords(text: str) -> str:
    """Return a text in which the passwords of URLs are left out.

    >>> without_passwords("no 'postgresql://ann:secret@host/db' here")
    "no 'postgresql://ann@host/db' here"
    """
    return _PARAMETER.sub(r"\1…", _PASSWORD.sub(r"\1", text))


def _parts(rest: str) -> tuple[str, str, dict[str, str]]:
    """Return URL, study and secrets of what follows the scheme."""
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    base, _, query = rest.partition("?")
    if "@" in base[len(authority) :] or re.search(r"\s", authority):
        raise JournalError(
            "the URL of a server has an '@' where its database stands, or a space before: within a "
            "user, a password or a database write '@' as %40, ':' as %3A, '/' as %2F, '?' as %3F "
            "and a space as %20"
        )
    secrets, shown, study = {}, [], ""
    user, at, host = authority.rpartition("@")
    user, colon, password = user.partition(":")
    if colon:
        secrets["password"] = unquote(password)
    for parameter in filter(None, query.split("&")):
        name, _, value = parameter.partition("=")
        if name in _SECRETS:
            secrets[name] = unquote(value)
        elif name == "study":
            study = unquote(value)
        else:
            shown.append(parameter)
    if study and not _STUDY.fullmatch(study):
        raise JournalError(
            f"study={quote(study)} cannot be a study's name: use up to 53 letters, digits and _ . -"
        )
    url = f"postgresql://{user}{at}{host}{base[len(authority) :]}"
    return url + ("?" + "&".join(shown) if shown else ""), study, secrets
