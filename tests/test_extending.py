"""The code of docs/extending.md runs, and its engine keeps an engine's promises."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import surefoot
from surefoot import registry
from surefoot.cli.commands.rerace import race_options
from surefoot.data.population import Population
from surefoot.executors.inline import InlineExecutor
from surefoot.instances import Status
from surefoot.learning.losses import Loss
from surefoot.racing import Race
from surefoot.study_files.schema import build_rules, read_race
from surefoot.testing import CriterionSuite, toy_instance, toy_population, toy_setting

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def module(name: str, holding: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the page's block that holds a text, as a module that can be imported."""
    (block,) = (block for block in BLOCKS if holding in block)
    made = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, made)
    exec(block, made.__dict__)
    return made


def test_estimators_by_name_and_alive_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module("estimators_page", "live = ", monkeypatch)
    assert made.live.label == "StandardScaler → SVR(C=3)"


def test_the_function_races(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module("my_models", "def polynomial", monkeypatch)
    x = np.linspace(-1, 1, 80)
    space = surefoot.SearchSpace.product(made.polynomial.candidate, degree=[1, 2])
    selection = surefoot.select(
        space, Population(x, x**2), certify=0, executor=InlineExecutor(), seed=2
    )
    assert selection.winner == made.polynomial.candidate(degree=2)
    assert selection.value < 1e-6


def test_the_engine_of_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module("medians", "class MedianEngine", monkeypatch)
    setting, candidate = toy_setting(loss=Loss("mae")), made.Median()
    training = made.MedianEngine().train(toy_instance(candidate), setting)
    draw, target = toy_instance(candidate).draw(setting), setting.halves.population.target
    expected = np.abs(target[draw.test] - np.median(target[draw.train])).mean()
    assert training.outcome.status is Status.FINISHED
    assert training.outcome.loss == pytest.approx(float(expected), rel=1e-6)
    monkeypatch.setitem(registry._added, ("engines", "median"), made.MedianEngine)
    monkeypatch.setitem(registry._added, ("candidates", "median"), made.Median)
    both = [made.Median(), made.Median(0.1)]
    selection = surefoot.select(
        both, toy_population(), loss="mae", certify=0, executor=InlineExecutor()
    )
    assert selection.winner == made.Median()


def test_the_engine_passes_its_suite(tmp_path: Path) -> None:
    engine, suite = (
        next(block for block in BLOCKS if text in block)
        for text in ("class MedianEngine", "class TestMedianEngine")
    )
    (tmp_path / "medians.py").write_text(engine)
    (tmp_path / "test_medians.py").write_text(f"from medians import Median, MedianEngine\n{suite}")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_the_selector_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module("selector_page", "RobustSelector", monkeypatch)
    population = toy_population()
    fitted = made.model.fit(population.features, population.target[:, 0])
    assert fitted.score(population.features, population.target[:, 0]) > 0.5


def test_the_criterion_rule_and_schedule_of_one_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = module("mine", "class InSteps", monkeypatch)
    found = {"criteria": made.Trimmed, "rules": made.ByFactor, "schedules": made.InSteps}
    text = PAGE.read_text(encoding="utf-8")
    for kind, name in re.findall(r'surefoot\.(criteria|rules|schedules)"\]\n(\w+) = "mine:', text):
        monkeypatch.setitem(registry._added, (kind, name), found.pop(kind))
    assert not found
    (table,) = re.findall(r"```toml\n(\[study\]\ncriterion = \"trimmed.*?)```", text, re.DOTALL)
    said = tomllib.loads(table)
    rules = {"criterion": said["study"]["criterion"], **build_rules(read_race(said["race"]))}
    race = Race("abcdef", **rules)
    assert race == Race("abcdef", made.Trimmed(0.1), made.InSteps(2), rule=made.ByFactor())
    x = np.linspace(-1, 1, 80)
    space = surefoot.SearchSpace.product(powers.candidate, degree=[1, 2, 3])
    path = tmp_path / "mine.db"
    rules = {"criterion": "trimmed", "schedule": "in_steps", "rule": "factor"}
    selection = surefoot.select(
        space, Population(x, x**2), certify=0, executor=InlineExecutor(), journal=path, **rules
    )
    assert selection.study.race.rule == made.ByFactor(0.5)
    again = surefoot.rerace(path, schedule="in_steps")
    assert again.race == selection.study.race
    assert again.state.winner == selection.winner.key
    options = {option.name for option in race_options()}
    assert {"stride", "excess"} <= options


@surefoot.candidate
def powers(draw: Any, seed: Any, *, degree: int = 2) -> Any:
    coefficients = np.polyfit(draw.features[:, 0], draw.target[:, 0], degree)
    return lambda features: np.polyval(coefficients, features[:, 0])


class TestTrimmed(CriterionSuite):
    @pytest.fixture
    def criterion(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        trimmed = module("mine", "class InSteps", monkeypatch).Trimmed
        monkeypatch.setitem(registry._added, ("criteria", "trimmed"), trimmed)
        return trimmed()
