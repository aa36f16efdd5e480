import pytest

from surefoot.errors import SurefootError
from surefoot.replacing import overwriting
from surefoot.reports.figures import figure_of
from surefoot.reports.files import save
from surefoot.reports.views.chart import Axis, Panel

PANEL = Panel("", Axis(), Axis(), ())
MAGIC = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


@pytest.mark.parametrize("suffix", MAGIC)
def test_a_figure_is_written_as_its_suffix_says(tmp_path, suffix):
    figure = figure_of([PANEL], "a title")
    path = save(figure, tmp_path / f"empty{suffix}")
    assert path.read_bytes().startswith(MAGIC[suffix])


def test_unknown_suffixes_and_missing_folders_are_named(tmp_path):
    figure = figure_of([PANEL])
    with pytest.raises(SurefootError, match=r"has the suffix '\.gif': use one of \.png"):
        save(figure, tmp_path / "a.gif")
    with pytest.raises(SurefootError, match="make the folder"):
        save(figure, tmp_path / "nowhere" / "a.png")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(SurefootError, match="cannot be written"):
        save(figure, tmp_path / "taken.png")


@pytest.mark.parametrize("suffix", MAGIC)
def test_a_figure_of_ones_own_is_drawn_again_and_no_other(tmp_path, suffix):
    figure = figure_of([PANEL], "a title")
    path = tmp_path / f"a{suffix}"
    save(figure, path)
    save(figure, path)
    path.write_bytes(MAGIC[suffix] + b" by somebody else")
    with pytest.raises(SurefootError, match="exists and surefoot did not write it"):
        save(figure, path)
    assert path.read_bytes().endswith(b"else")
    with overwriting():
        save(figure, path)
    assert not path.read_bytes().endswith(b"else")


@pytest.mark.parametrize("suffix", MAGIC)
def test_on_a_full_disk_the_figure_before_stays(tmp_path, suffix, full_disk):
    figure = figure_of([PANEL], "a title")
    path = save(figure, tmp_path / f"a{suffix}")
    before = path.read_bytes()
    full_disk()
    with pytest.raises(SurefootError, match="cannot be written"):
        save(figure, path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
