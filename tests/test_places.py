from __future__ import annotations

import pickle
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import JournalError
from surefoot.journal import MEMORY
from surefoot.places import Place, without_passwords

WORD = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=9)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "PostgreSQL"])
def test_a_url_is_taken_apart_whatever_its_scheme_is_called(scheme: str) -> None:
    text = f"{scheme}://ann:secret@db.example:5433/races?sslmode=require&study=energy-1"
    place = Place.of(text)
    shown = "postgresql://ann@db.example:5433/races?sslmode=require"
    assert (place.url, place.study, place.file) == (shown, "energy-1", None)
    assert str(place) == f"{shown}&study=energy-1"
    assert Place.of(place) is place
    assert place.secrets == {"password": "secret"}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("postgresql:///races?study=a", "postgresql:///races"),
        ("postgresql://?service=lab&study=a", "postgresql://?service=lab"),
        ("postgresql:///races?user=a@b&study=a", "postgresql:///races?user=a@b"),
        ("postgresql://a,b:5433/races?study=a", "postgresql://a,b:5433/races"),
        ("postgresql://[::1]:5433/races?study=a", "postgresql://[::1]:5433/races"),
        ("postgresql://ann@%2Ftmp/races?study=a", "postgresql://ann@%2Ftmp/races"),
        ("postgresql://h/races?options=-crole%3Dlab&study=a", None),
    ],
)
def test_what_libpq_reads_stays_as_it_is(text: str, url: str | None) -> None:
    place = Place.of(text)
    assert place.url == (url or text.replace("&study=a", ""))
    assert place.study == "a"


@given(
    user=WORD,
    password=st.text(min_size=1, max_size=20),
    study=WORD,
    where=st.sampled_from(["authority", "parameter"]),
)
def test_no_password_is_shown_and_none_is_lost(
    user: str, password: str, study: str, where: str
) -> None:
    password = f"Ω{password}"
    coded = quote(password, safe="")
    url = f"postgresql://{user}:{coded}@host/races?study={study}"
    if where == "parameter":
        url = f"postgresql://{user}@host/races?password={coded}&study={study}"
    place = Place.of(url)
    assert place.secrets == {"password": password}
    for shown in (str(place), repr(place), repr([place]), f"{place}"):
        assert coded not in shown
        assert password not in shown
    assert pickle.loads(pickle.dumps(place)) == place
    assert coded not in without_passwords(f"no '{url}' here")
    raw = f"postgresql://{user}:p@{password}@host/races".split()[0]
    if raw.endswith("@host/races"):
        assert without_passwords(raw) == f"postgresql://{user}@host/races"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mysql://ann@host/races", r"cannot be at mysql://…: give a file, or .*postgresql://user@"),
        ("https://host/energy.db", "cannot be at https://…"),
        ("postgresql://ann:pass/word@host/races", "'/' as %2F"),
        ("postgresql://ann:pass word@host/races", "a space as %20"),
        ("postgresql://ann@host/races?study=a b", "study=a%20b cannot be a study's name"),
        (f"postgresql://ann@host/races?study={'a' * 54}", "up to 53 letters"),
        ("postgresql://ann@host/races?study=../a", "cannot be a study's name"),
    ],
)
def test_a_url_that_cannot_be_is_refused_without_what_may_be_secret(text: str, words: str) -> None:
    with pytest.raises(JournalError, match=words) as error:
        Place.of(text)
    assert "word@" not in str(error.value)


def test_a_url_given_as_a_path_is_told_so() -> None:
    with pytest.raises(JournalError, match="given as a path: give it as text"):
        Place.of(Path("postgresql://ann@host/races?study=a"))


def test_files_and_memory_are_places_too(tmp_path: Path) -> None:
    file = Place.of(tmp_path / "race.db")
    assert (file.file, file.stem, file.beside(".png")) == (
        tmp_path / "race.db",
        "race",
        tmp_path / "race.png",
    )
    assert str(file) == str(tmp_path / "race.db")
    memory = Place.of(MEMORY)
    assert (memory, str(memory)) == (Place(), MEMORY)
    server = Place.of("postgresql://host/races?study=energy")
    assert (server.stem, server.beside(".png")) == ("energy", Path("energy.png"))
    assert server.of_study("other").study == "other"
