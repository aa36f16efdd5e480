"""What is released says one thing: version, dependencies, changelog, recipe, citation."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import rattler_build
import yaml

import surefoot
from surefoot.study_files.read import read_study_file

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RECIPE = yaml.safe_load((ROOT / "packaging/conda/recipe.yaml").read_text(encoding="utf-8"))
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
RELEASES = re.findall(
    r"^## (\d+\.\d+\.\d+) - (\S+)$",
    (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
)
CONDA = {"matplotlib": "matplotlib-base"}
"""Packages of another name in conda-forge."""


def test_the_version_is_one() -> None:
    stated = {PROJECT["version"], surefoot.__version__, RECIPE["context"]["version"]}
    assert stated == {CITATION["version"]} == {RELEASES[0][0]}


def test_the_changelog_tells_of_releases_newest_first() -> None:
    versions = [tuple(map(int, version.split("."))) for version, _ in RELEASES]
    assert versions == sorted(set(versions), reverse=True)
    days = [date.fromisoformat(day) for _, day in RELEASES]
    assert days == sorted(days, reverse=True)
    assert days[0].isoformat() == CITATION["date-released"]


def test_conda_takes_the_dependencies_of_the_project() -> None:
    named = [re.fullmatch(r"([\w-]+)(.*)", one) for one in PROJECT["dependencies"]]
    wanted = {f"{CONDA.get(one[1], one[1])} {one[2]}" for one in named if one}
    python = f"python {PROJECT['requires-python'].replace('3.11', '${{ python_min }}')}"
    assert set(RECIPE["requirements"]["run"]) == {python, "__linux", *wanted}
    assert f"python >={RECIPE['context']['python_min']}" == f"python {PROJECT['requires-python']}"


def test_conda_builds_with_what_the_project_does_and_installs_its_command() -> None:
    (script,) = RECIPE["build"]["python"]["entry_points"]
    assert PROJECT["scripts"] == dict([script.split(" = ")])
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    hatchling = [one for one in RECIPE["requirements"]["host"] if one.startswith("hatchling")]
    assert [one.replace(" ", "") for one in hatchling] == build["requires"]
    about = RECIPE["about"]
    assert (about["summary"], about["license"]) == (PROJECT["description"], PROJECT["license"])


def test_conda_reads_the_recipe_as_it_is_meant() -> None:
    (rendered,) = rattler_build.Stage0Recipe.from_file(
        ROOT / "packaging/conda/recipe.yaml"
    ).render()
    recipe = rendered.recipe.to_dict()
    assert recipe["package"] == {"name": "surefoot", "version": PROJECT["version"]}
    run = {one.partition(" ")[0] for one in recipe["requirements"]["run"]}
    assert {"python", "numba", "matplotlib-base"} < run
    assert recipe["build"]["noarch"] == "python"


def test_conda_tries_a_study_that_can_be_read() -> None:
    assert read_study_file(ROOT / "packaging/conda/study.toml").tables.study.name == "First steps"


@pytest.mark.parametrize("one", PROJECT["dependencies"])
def test_every_dependency_has_an_oldest_version_to_be_tried(one: str) -> None:
    assert re.fullmatch(r"[\w-]+>=[\d.]+", one)


def test_the_citation_names_the_paper() -> None:
    (paper,) = CITATION["references"]
    assert paper["title"] == "Approach to Finding a Robust Deep Learning Model"
    assert CITATION["license"] == PROJECT["license"]
