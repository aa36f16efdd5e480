import pytest

from surefoot.errors import SurefootError
from surefoot.report.figures import RoundLosses, learning_curves, race_figure, save

MAGIC = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


@pytest.mark.parametrize("suffix", MAGIC)
def test_a_figure_is_written_as_its_suffix_says(tmp_path, suffix):
    path = save(learning_curves([[2.0, 1.0]]), tmp_path / f"curves{suffix}")
    assert path.read_bytes().startswith(MAGIC[suffix])


def test_the_race_figure_has_three_panels(tmp_path):
    figure = race_figure(
        [RoundLosses(1, "race", 2, [1.0, 2.0], [1.0])], [[2.0, 1.0]], [1.0, 1.1], title="a title"
    )
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "(a) losses by round",
        "(b) the winner's instances",
        "(c) the winner, trained afresh",
    ]
    assert save(figure, tmp_path / "race.png").stat().st_size > 10_000


def test_a_race_without_certificate_still_has_a_figure(tmp_path):
    figure = race_figure([RoundLosses(1, "race", 2, [1.0, 2.0], [1.0])], [[2.0, 1.0]], [])
    assert save(figure, tmp_path / "race.svg").exists()


def test_unknown_suffixes_and_missing_folders_are_named(tmp_path):
    figure = learning_curves([[1.0]])
    with pytest.raises(SurefootError, match=r"has the suffix '\.gif': use one of \.png"):
        save(figure, tmp_path / "a.gif")
    with pytest.raises(SurefootError, match="is no directory"):
        save(figure, tmp_path / "nowhere" / "a.png")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(SurefootError, match="cannot be written"):
        save(figure, tmp_path / "taken.png")
