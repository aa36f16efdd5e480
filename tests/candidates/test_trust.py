"""What data may name, and what each door of data refuses before it imports anything."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
import torch

import surefoot
from surefoot.candidates import trust
from surefoot.candidates.import_paths import resolve
from surefoot.candidates.trust import is_trusted
from surefoot.cli.main import main
from surefoot.errors import CandidateError, ConfigurationError, UntrustedError

EVIL = "import pathlib; pathlib.Path({!r}).touch()"
PLACES = ("estimator", "factory", "optimizer", "loss", "schedule")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trusted but what this test trusts."""
    monkeypatch.setattr(trust, "_named", set())
    monkeypatch.setattr(trust, "_given", set())


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that the module ``evil`` makes when it is imported."""
    path = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(
        f"{EVIL.format(str(path))}\nimport torch\nimport surefoot\n"
        "class Model:\n    def fit(self, x, y): return self\n"
        "class Net(torch.nn.Linear): pass\n"
        "class Steps(torch.optim.SGD): pass\n"
        "class Rate(torch.optim.lr_scheduler.StepLR): pass\n"
        "def loss(p, y) -> torch.Tensor: return p.sum()\n"
        "@surefoot.candidate\ndef train(draw, seed, x=1): return float(x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield path
    sys.modules.pop("evil", None)


SPECS: dict[str, tuple[str, dict[str, Any]]] = {
    "estimator": ("estimator", {"class": "evil.Model"}),
    "step": ("estimator", {"class": "sklearn.svm.SVR", "steps": ["evil.Model"]}),
    "nested": (
        "estimator",
        {
            "class": "sklearn.ensemble.BaggingRegressor",
            "parameters": {"estimator": {"class": "evil.Model"}},
        },
    ),
    "key": (
        "estimator",
        {
            "class": "sklearn.linear_model.LogisticRegression",
            "parameters": {"class_weight": {"items": [[{"class": "evil.Model"}, 1.0]]}},
        },
    ),
    "function": ("function", {"function": "evil.train"}),
    "factory": ("module", {"factory": "evil.Net"}),
    "unicode": ("module", {"factory": "torch.nn.Linear", "optimizer": "\u00e9vil.Steps"}),
    "argument": (
        "module",
        {"factory": "torch.nn.Linear", "parameters": {"in_features": {"class": "evil.Model"}}},
    ),
    "optimizer": ("module", {"factory": "torch.nn.Linear", "optimizer": "evil.Steps"}),
    "loss": ("module", {"factory": "torch.nn.Linear", "loss": "evil.loss"}),
    "schedule": ("module", {"factory": "torch.nn.Linear", "schedule": "evil.Rate"}),
    "torch.fx": (
        "module",
        {
            "factory": "torch.fx.graph_module.reduce_graph_module",
            "parameters": {
                "body": {"_code": "def forward(self): pass"},
                "import_block": "import evil\n",
            },
        },
    ),
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("door", ["from_spec", "space"])
def test_data_cannot_name_code(name: str, door: str, marker: Path) -> None:
    family, spec = SPECS[name]
    kind = surefoot.registry.lookup("candidates", family)
    with pytest.raises(UntrustedError, match=r"'(.vil|torch\.fx).* --trust (.vil|torch)"):
        kind.from_spec(spec) if door == "from_spec" else list(kind.space(spec))
    assert not marker.exists()


@pytest.mark.parametrize("name", [name for name in SPECS if name not in ("torch.fx", "unicode")])
def test_what_the_user_names_is_admitted(name: str, marker: Path) -> None:
    family, spec = SPECS[name]
    surefoot.trust("evil")
    assert surefoot.registry.lookup("candidates", family).from_spec(spec).key
    assert not marker.exists()


def test_the_folder_of_a_study_file_is_searched_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    surefoot.trust(beside=tmp_path / "study.toml")
    assert str(tmp_path) not in sys.path
    surefoot.trust("my_models", beside=tmp_path / "study.toml")
    assert sys.path[-1] == str(tmp_path)


def test_a_librarys_code_is_named_whole_in_the_advice() -> None:
    with pytest.raises(UntrustedError, match=r"--trust torch\.nn\.Module \("):
        surefoot.ModuleCandidate.from_spec({"factory": "torch.nn.Module"})


def test_trust_is_by_whole_names() -> None:
    surefoot.trust(["my_models.networks", "other"])
    trusted = ("my_models.networks.Net", "other.a.b", "my_models.networks")
    foreign = ("my_models.Net", "my_models.networks2.Net", "others.a", "other_.x")
    assert all(map(is_trusted, trusted))
    assert not any(map(is_trusted, foreign))
    for name in ("", "a b", "../x", "a.", "os;"):
        with pytest.raises(ConfigurationError, match="no package, module or import path"):
            surefoot.trust(name)


def test_what_python_gives_is_trusted_in_its_process_alone() -> None:
    spec = surefoot.EstimatorCandidate("somewhere.Model").spec()
    assert surefoot.EstimatorCandidate.from_spec(spec).label == "Model"
    with pytest.raises(UntrustedError):
        surefoot.EstimatorCandidate.from_spec({"class": "somewhere.Other"})


def test_reading_data_never_extends_the_list(marker: Path) -> None:
    for _ in range(2):
        for family, spec in SPECS.values():
            with pytest.raises(UntrustedError):
                surefoot.registry.lookup("candidates", family).from_spec(spec)
    assert trust._given == set()


@pytest.mark.parametrize(
    "parameters",
    [
        {"param_grid": {"memory": ["/tmp/cache"]}},
        {"param_grid": [{"ridge__memory": ["/tmp/cache"]}]},
        {"param_grid": {"items": [["memory", ["/tmp/cache"]]]}},
    ],
)
def test_no_cache_of_pickles_comes_in_by_a_grid(parameters: dict[str, Any]) -> None:
    spec = {"class": "sklearn.model_selection.GridSearchCV", "parameters": parameters}
    with pytest.raises(CandidateError, match="is a cache of pickles"):
        surefoot.EstimatorCandidate.from_spec(spec)


@pytest.mark.parametrize("code", ["__import__('evil')", "2*n_jobs.real", "print(1)"])
def test_a_dispatch_is_no_expression(code: str) -> None:
    cls = "sklearn.model_selection.GridSearchCV"
    with pytest.raises(CandidateError, match="must be like '2"):
        surefoot.EstimatorCandidate.from_spec({"class": cls, "parameters": {"pre_dispatch": code}})
    spec = {"class": cls, "parameters": {"pre_dispatch": "2*n_jobs"}}
    assert surefoot.EstimatorCandidate.from_spec(spec).key


def names_in(package: Any) -> Iterator[tuple[str, Any]]:
    for info in pkgutil.iter_modules(package.__path__):
        if package is sklearn and not info.name.startswith("_"):
            importlib.import_module(f"sklearn.{info.name}")
    modules = [name for name in sys.modules if name.partition(".")[0] == package.__name__]
    for name in modules:
        for word, thing in list(vars(sys.modules[name]).items()):
            yield f"{name}.{word}", thing


@pytest.mark.parametrize("package", [torch, sklearn], ids=lambda package: package.__name__)
def test_nothing_listed_is_more_than_an_estimator_a_layer_or_a_loss(package: Any) -> None:
    found = 0
    for path, thing in names_in(package):
        if not is_trusted(path):
            continue
        for place in PLACES:
            try:
                resolve(path, place)
            except CandidateError:
                continue
            found += 1
            assert thing.__module__.startswith(f"{package.__name__}."), path
            if package is torch:
                assert "fx" not in path
                assert "jit" not in path
                base = (
                    torch.nn.Module,
                    torch.optim.Optimizer,
                    torch.optim.lr_scheduler.LRScheduler,
                )
                assert inspect.isfunction(thing) or issubclass(thing, base)
                assert inspect.isclass(thing) or path.startswith("torch.nn.functional.")
    assert found > 80
    for path in ("torch.nn.Module", "torch.nn.DataParallel", "torch.hub.load", "torch.load"):
        assert not is_trusted(path)
    for path in ("sklearn.preprocessing.FunctionTransformer", "sklearn.datasets.load_files"):
        assert not is_trusted(path)
    for path in ("sklearn.svm.SVR\n", "sklearn.svm.x.SVR", "os.system", "surefoot.RobustSelector"):
        assert not is_trusted(path)


STUDY = """
[study]
seed = 5
[population]
source = "showers.npz"
features = "cells"
target = "energy"
[sampling]
size = 60
[loss]
name = "rmse"
[[space]]
{space}
[race]
schedule = "halving"
[certificate]
n = 2
"""


def study(folder: Path, space: str) -> str:
    rng = np.random.default_rng(1)
    cells = rng.exponential(1.0, (200, 16)).astype(np.float32)
    np.savez(folder / "showers.npz", cells=cells, energy=cells.sum(axis=1))
    (folder / "study.toml").write_text(STUDY.format(space=space))
    return str(folder / "study.toml")


@pytest.mark.parametrize(
    "space",
    [
        'family = "estimator"\nclass = "evil.Model"',
        'family = "function"\nfunction = "evil.train"',
        'family = "module"\nfactory = "evil.Net"',
        'family = "module"\nfactory = "torch.fx.graph_module.reduce_graph_module"\n'
        'parameters = { body = {}, import_block = "import evil\\n" }',
    ],
)
@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_a_study_file_runs_no_code(
    space: str, dry: list[str], tmp_path: Path, marker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study(tmp_path, space)
    with pytest.raises(SystemExit) as end:
        main(["select", path, "-j", str(tmp_path / "race.db"), *dry])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert "study.toml: [space]" in said
    assert "--trust" in said
    assert said.count("\n") == 1
    assert not marker.exists()


def test_a_study_file_may_name_what_the_command_line_trusts(tmp_path: Path, marker: Path) -> None:
    path = study(tmp_path, 'family = "function"\nfunction = "evil.train"')
    with pytest.raises(SystemExit) as end:
        main(["select", path, "-j", str(tmp_path / "race.db"), "--dry-run", "--trust", "evil"])
    assert end.value.code in (0, None)
    assert marker.exists()


@pytest.fixture
def foreign(tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of a race of ``evil`` candidates that somebody else trusted."""
    path = study(
        tmp_path, 'family = "function"\nfunction = "evil.train"\nparameters = {x = [1, 2]}'
    )
    words = ["-j", str(tmp_path / "race.db"), "-f", str(tmp_path / "race.png"), "-w", "1"]
    with pytest.raises(SystemExit) as end:
        main(["select", path, *words, "--trust", "evil"])
    assert end.value.code in (0, None)
    monkeypatch.setattr(trust, "_named", set())
    monkeypatch.setattr(trust, "_given", set())
    sys.modules.pop("evil")
    marker.unlink()
    return tmp_path / "race.db"


@pytest.mark.parametrize(
    "command",
    [
        ["show", "{journal}"],
        ["plot", "{journal}", "-f", "{folder}/plot.png"],
        ["rerace", "{journal}", "--criterion", "mean"],
        ["replay", "{journal}", "winner", "0"],
        ["export", "{journal}", "{folder}/winner.npz"],
        ["assess", "{folder}/study.toml", "--from", "{journal}", "-i", "2"],
    ],
    ids=lambda command: command[0],
)
def test_a_journal_runs_no_code(
    command: list[str],
    foreign: Path,
    marker: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    words = [word.format(journal=foreign, folder=tmp_path) for word in command]
    with pytest.raises(SystemExit) as end:
        main(words)
    assert not marker.exists()
    if command[0] in ("replay", "export", "assess"):
        said = capsys.readouterr().err
        assert end.value.code == 2, said
        assert "of the journal" in said
        assert "--trust evil" in said


@pytest.mark.parametrize("name", ["read_study", "replay", "export", "transfer"])
def test_python_refuses_and_trusts_as_the_command_line_does(
    name: str, foreign: Path, marker: Path, tmp_path: Path
) -> None:
    cells = np.random.default_rng(2).exponential(1.0, (200, 16)).astype(np.float32)
    other = surefoot.Population(cells, cells.sum(axis=1), target_name="energy")
    doors: dict[str, Any] = {
        "read_study": lambda **given: surefoot.read_study(tmp_path / "study.toml", **given),
        "replay": lambda **given: surefoot.replay(foreign, **given),
        "export": lambda **given: surefoot.export(foreign, tmp_path / "net.npz", **given),
        "transfer": lambda **given: surefoot.transfer(
            foreign, other, baseline=surefoot.EstimatorCandidate("sklearn.svm.SVR"), n=2, **given
        ),
    }
    with pytest.raises(ConfigurationError, match="--trust evil"):
        doors[name]()
    assert not marker.exists()
    with contextlib.suppress(surefoot.SurefootError):
        doors[name](trust="evil")
    assert marker.exists()


def test_a_saved_folder_runs_no_code(tmp_path: Path, marker: Path) -> None:
    record = {
        "format": 1,
        "family": "estimator",
        "spec": {"class": "evil.Model"},
        "classes": None,
        "outputs": 1,
        "features": 1,
    }
    (tmp_path / "model.json").write_text(json.dumps(record))
    with pytest.raises(UntrustedError, match=r"model\.json: .*--trust evil"):
        surefoot.load(tmp_path)
    assert not marker.exists()


def test_a_saved_models_types_are_judged_by_name(tmp_path: Path, marker: Path) -> None:
    """skops would import a type to look at it; a foreign one is refused by its name alone."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import evil, pathlib, skops.io;"
        "skops.io.dump(evil.Model(), sys.argv[1] + '/model.skops')"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    marker.unlink()
    record = {
        "format": 1,
        "family": "estimator",
        "spec": {"class": "sklearn.linear_model.Ridge", "side": False},
        "classes": None,
        "codes": None,
        "outputs": 1,
        "features": 1,
        "probabilities": False,
    }
    (tmp_path / "model.json").write_text(json.dumps(record))
    with pytest.raises(UntrustedError, match=r"model\.skops holds types .*evil\.Model"):
        surefoot.load(tmp_path)
    assert not marker.exists()
