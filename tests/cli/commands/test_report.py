from pathlib import Path


def test_a_race_names_its_report_and_the_report_is_written(run, folder) -> None:
    code, out, _ = run("select", "small.toml")
    assert code == 0
    assert "Report        surefoot report small.db" in out
    code, out, _ = run("report", "small.db")
    assert (code, out) == (0, "small.html\n")
    page = Path("small.html").read_text(encoding="utf-8")
    assert "<h1>A small study</h1>" in page


def test_a_page_of_ones_own_is_kept_unless_it_may_be_replaced(run, folder) -> None:
    run("select", "small.toml")
    Path("mine.html").write_text("mine")
    code, _, err = run("report", "small.db", "-o", "mine.html")
    assert code == 2
    assert "surefoot did not write it" in err
    assert Path("mine.html").read_text() == "mine"
    assert run("report", "small.db", "-o", "mine.html", "--overwrite")[0] == 0


def test_what_is_no_journal_is_one_sentence(run, folder) -> None:
    code, _, err = run("report", "nowhere.db")
    assert code == 2
    assert "there is no journal" in err
    assert not Path("nowhere.html").exists()
