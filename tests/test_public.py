"""The public surface: its names, and that importing it is fast and light."""

import subprocess
import sys

import surefoot

NAMES = [
    "Candidate",
    "Conv",
    "ConvNet",
    "DirectCandidate",
    "Engine",
    "EstimatorCandidate",
    "Executor",
    "InlineExecutor",
    "LocalExecutor",
    "Loss",
    "ModuleCandidate",
    "Pool",
    "Population",
    "ResNet",
    "RobustSelector",
    "Sampling",
    "SearchSpace",
    "Stopping",
    "SurefootError",
    "assess",
    "candidate",
    "check",
    "compare",
    "convnet",
    "export",
    "load",
    "load_population",
    "plan",
    "preset",
    "register",
    "rerace",
    "sample_size",
    "save",
    "select",
    "transfer",
    "variance",
]
HEAVY = "numpy numba scipy torch matplotlib sqlalchemy pydantic typer rich uproot jinja2 sklearn"


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_public_names_are_these() -> None:
    assert surefoot.__all__ == NAMES


def test_every_public_name_has_a_docstring_and_is_listed() -> None:
    for name in surefoot.__all__:
        assert getattr(surefoot, name).__doc__, name
        assert name in dir(surefoot)


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
