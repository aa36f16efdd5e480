"""The tree of errors, missing extras and misspelt words."""

import inspect
import sys

import pytest

from surefoot import errors
from surefoot.errors import (
    MissingExtraError,
    SurefootError,
    nearest,
    require,
)


def test_every_error_is_a_surefoot_error_with_a_docstring() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    kinds = [kind for kind in kinds if kind.__module__ == "surefoot.errors"]
    assert sorted(kind.__name__ for kind in kinds) == sorted(errors.__all__)
    assert all(issubclass(kind, SurefootError) and kind.__doc__ for kind in kinds)
    assert all(kind.__name__.endswith("Error") for kind in kinds)


@pytest.mark.parametrize("name", ["DataError", "CandidateError", "StudyFileError", "SamplingError"])
def test_errors_about_values_are_value_errors_too(name: str) -> None:
    assert issubclass(getattr(errors, name), ValueError)


def test_a_missing_extra_names_its_install_command() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'surefoot\[xgboost\]'") as caught:
        require("no_such_module_anywhere", extra="xgboost")
    assert isinstance(caught.value, ImportError)
    assert "'no_such_module_anywhere' is not installed" in str(caught.value)


def test_a_missing_submodule_is_a_missing_extra() -> None:
    with pytest.raises(MissingExtraError):
        require("no_such_package.part", extra="geant4")


def test_an_installed_module_is_returned() -> None:
    assert require("json", extra="torch") is sys.modules["json"]
    assert require("xml.dom", extra="torch").__name__ == "xml.dom"


def test_a_module_that_breaks_on_a_missing_part_is_not_called_missing(tmp_path, monkeypatch):
    """What the installed module itself lacks must not be reported as the module missing."""
    (tmp_path / "breaks_on_import.py").write_text("import absent_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="absent_dependency") as caught:
        require("breaks_on_import", extra="torch")
    assert not isinstance(caught.value, MissingExtraError)


def test_the_nearest_word_is_suggested_else_all_are_listed() -> None:
    known = ["criterion", "seed", "schedule"]
    assert nearest("critrion", known) == "did you mean 'criterion'?"
    assert nearest("zzz", known) == "known are: criterion, schedule, seed"
