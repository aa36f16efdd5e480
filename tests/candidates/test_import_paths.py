"""Only what is meant for its place is ever called."""

import pytest
import torch

from surefoot.candidates.import_paths import check_arguments, path_of, resolve
from surefoot.errors import CandidateError
from tests.engines import modules


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("tests.engines.modules.Dense", "factory"),
        ("tests.engines.modules.dense", "factory"),
        ("torch.nn.Linear", "factory"),
        ("torch.optim.AdamW", "optimizer"),
        ("torch.optim.lr_scheduler.StepLR", "schedule"),
        ("torch.nn.functional.smooth_l1_loss", "loss"),
        ("torch.nn.SmoothL1Loss", "loss"),
        ("tests.engines.modules.log_cosh", "loss"),
    ],
)
def test_what_fits_its_place_is_imported(path: str, place) -> None:
    found = resolve(path, place)
    assert found.__name__ == path.rpartition(".")[2]
    assert resolve(path_of(found, place), place) is found


@pytest.mark.parametrize(
    ("path", "place", "wanted"),
    [
        ("os.system", "factory", "a class derived from torch.nn.Module, or a function annotated"),
        ("subprocess.Popen", "factory", "a class derived from torch.nn.Module"),
        ("tests.engines.modules.unmarked", "factory", "annotated '-> torch.nn.Module'"),
        ("tests.engines.modules.log_cosh", "factory", "annotated '-> torch.nn.Module'"),
        ("torch.nn.Linear", "optimizer", "a class derived from torch.optim.Optimizer"),
        ("torch.load", "loss", "annotated '-> torch.Tensor'"),
        ("builtins.eval", "loss", "annotated '-> torch.Tensor'"),
        ("torch.optim.SGD", "schedule", "lr_scheduler.LRScheduler"),
        ("torch.optim.lr_scheduler.ReduceLROnPlateau", "schedule", "stepped by epochs"),
    ],
)
def test_anything_else_is_refused(path: str, place, wanted: str) -> None:
    with pytest.raises(CandidateError, match=f"{place} {path} must be .*{wanted}"):
        resolve(path, place)


def test_what_cannot_be_found_is_named() -> None:
    with pytest.raises(CandidateError, match="no factory 'Dens': did you mean 'Dense'"):
        resolve("tests.engines.modules.Dens", "factory")
    with pytest.raises(CandidateError, match=r"loss no_such_package\.loss cannot be imported"):
        resolve("no_such_package.loss", "loss")


def test_arguments_are_checked_before_anything_is_called() -> None:
    check_arguments("Dense", modules.Dense, {"width": 3})
    check_arguments("dense", modules.dense, {"whatever": 3})
    with pytest.raises(CandidateError, match="Dense has no parameter 'wdth': did you mean 'width'"):
        check_arguments("Dense", modules.Dense, {"wdth": 3})


def test_what_has_no_name_is_refused() -> None:
    class Local(torch.nn.Module):
        pass

    for thing in (Local, lambda: None, modules.Dense(), 3):
        with pytest.raises(CandidateError, match="cannot be imported by name"):
            path_of(thing, "factory")
