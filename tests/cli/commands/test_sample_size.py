"""``surefoot sample-size`` on small showers."""

from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from tests.cli.commands.small import count


def test_sample_size_names_a_robust_size(run, small) -> None:
    options = ("-c", "scaled_sum", "-j", "s.db", "--content", "0.5", "--confidence", "0.6")
    code, out, err = run("sample-size", "small.toml", "-s", "10:80:3", "-i", "6", *options)
    assert (code, err) == (0, "")
    assert "3 sizes from 10 to 80, 6 instances each" in out
    assert "rule: the limit is 1.1 times the median loss at 80 examples" in " ".join(out.split())
    assert count("s.db") == 18
    _, out, _ = run("sample-size", "small.toml", "-s", "10,28,50,80", "-i", "6", *options)
    assert "6 to go (18 before)" in out
    with Journal.read("s.db") as journal:
        assert {o.sample for o in journal.outcomes(Role.SAMPLE_SIZE)} == {10, 28, 50, 80}


def test_the_papers_grid_is_cut_to_the_data(run, folder) -> None:
    _, _, err = run("sample-size", "small.toml", "-c", "scaled_sum", "--dry-run")
    assert "the paper's sizes begin at 132, but showers.npz has 100 examples" in err
    code, _, err = run("sample-size", "small.toml", "-c", "scaled_sum", "-s", "10;20")
    assert code == 2
    assert "--sizes '10;20' cannot be read: write 'paper'" in err
    _, _, err = run("sample-size", "small.toml", "-c", "scaled_sum", "-s", "50,500")
    assert "a sample of 500 examples exceeds the 100" in err
