import pytest

from surefoot.calorimeter.paper.docs import BEGIN, END, write_verdicts
from surefoot.calorimeter.paper.verdicts import verdicts_of
from surefoot.errors import ExportError


def test_the_table_stands_between_the_marks_and_nothing_else_changes(tmp_path):
    page = tmp_path / "paper.md"
    page.write_text(f"before\n{BEGIN}\nstale table\n{END}\nafter\n")
    found = verdicts_of({})
    write_verdicts(page, found)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n| # | the paper's claim |")
    assert text.endswith(f"{END}\nafter\n")
    assert "stale" not in text
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")][1:] == [
        f"| {number}" for number in range(1, 30)
    ]
    write_verdicts(page, found)
    assert page.read_text() == text


@pytest.mark.parametrize("text", ["", f"{BEGIN} {END} {BEGIN} {END}"])
def test_a_page_without_the_marks_is_refused(tmp_path, text):
    page = tmp_path / "paper.md"
    page.write_text(text)
    with pytest.raises(ExportError, match="needs the marks"):
        write_verdicts(page, [])
    assert page.read_text() == text
    with pytest.raises(ExportError, match="cannot be read"):
        write_verdicts(tmp_path / "none.md", [])
