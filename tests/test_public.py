"""The public surface: its names, and that importing it is fast and light."""

import importlib
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from typing import Any

import pytest

import surefoot

NAMES = [
    "Candidate",
    "Conv",
    "ConvNet",
    "DaskExecutor",
    "DirectCandidate",
    "Engine",
    "EstimatorCandidate",
    "Executor",
    "InlineExecutor",
    "Instance",
    "LocalExecutor",
    "Loss",
    "ModuleCandidate",
    "Monitor",
    "Pool",
    "Population",
    "Predictor",
    "ProgressPrinter",
    "ResNet",
    "RobustSelector",
    "Sampling",
    "SearchSpace",
    "Selection",
    "Setting",
    "Stopping",
    "SurefootError",
    "Training",
    "Watcher",
    "assess",
    "available",
    "candidate",
    "check",
    "compare",
    "convnet",
    "copy",
    "export",
    "grid",
    "journals",
    "load",
    "load_population",
    "plan",
    "preset",
    "read_study",
    "register",
    "replay",
    "report",
    "rerace",
    "sample_size",
    "save",
    "search",
    "select",
    "summary",
    "transfer",
    "trust",
    "variance",
    "watch",
]
HEAVY = "numpy numba scipy torch matplotlib sqlalchemy pydantic typer rich uproot sklearn"
FACES = {
    "surefoot": NAMES,
    "surefoot.calorimeter": [
        "INNER",
        "MIDDLE",
        "OUTER",
        "Shashlik",
        "Tuning",
        "run_paper",
        "simulate",
    ],
    "surefoot.journal": [
        "MEMORY",
        "Extended",
        "Extension",
        "Identity",
        "Journal",
        "Known",
        "Measure",
        "Outcome",
        "Place",
        "Role",
        "Status",
        "Verified",
        "copy",
        "identity",
        "journals_at",
        "verify",
    ],
}
"""The names of every public face that no test of its own pins."""
MODULES = [importlib.import_module(name) for name in (*FACES, "surefoot.errors")]


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("face", FACES)
def test_the_public_names_are_these(face: str) -> None:
    module = importlib.import_module(face)
    assert list(module.__all__) == FACES[face]
    for name in module.__all__:
        assert getattr(module, name).__doc__, name
        assert name in dir(module) or face == "surefoot.calorimeter"


def test_what_public_functions_take_is_public() -> None:
    """Options, which users give by name, are typed by dicts of their own."""
    known = {getattr(module, name) for module in MODULES for name in module.__all__}
    taken = {
        kind
        for thing in known
        if inspect.isfunction(thing) and thing.__module__.startswith("surefoot")
        for parameter, hint in typing.get_type_hints(thing).items()
        if parameter != "return"
        for kind in classes(hint)
        if kind.__module__.startswith("surefoot") and not typing.is_typeddict(kind)
    }
    assert taken - known == set()


def classes(hint: Any) -> Iterator[type]:
    """Yield the classes in a type."""
    if isinstance(hint, type):
        yield hint
    for part in typing.get_args(hint):
        yield from classes(part)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(surefoot, "select_the_best")


def test_importing_it_takes_less_than_three_tenths_of_a_second() -> None:
    program = (
        "import time; t = time.perf_counter(); import surefoot; print(time.perf_counter() - t)"
    )
    assert min(float(python(program)) for _ in range(5)) < 0.3


def test_importing_it_imports_nothing_heavy() -> None:
    program = f"import sys, surefoot; print([m for m in '{HEAVY}'.split() if m in sys.modules])"
    assert python(program).strip() == "[]"


def test_engines_are_imported_without_what_only_some_need() -> None:
    program = (
        "import sys, surefoot.engines.torch.eager, surefoot.engines.direct;"
        "print([m for m in ('torch', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    assert python(program).strip() == "[]"


def test_the_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert surefoot.__version__ == version("surefoot")
