"""``surefoot rerace``: other rules, nothing trained."""

import pytest

from tests.cli.commands.small import count


def test_rerace_uses_the_record_and_says_what_is_missing(run, folder) -> None:
    run("select", "small.toml", "-j", "r.db")
    before = count("r.db")
    code, out, _ = run("rerace", "r.db", "--criterion", "max", "--screen", "no")
    assert code in (0, 3)
    assert "max" in out.splitlines()[0]
    code, out, _ = run("rerace", "r.db", "--schedule", "halving", "--warmup", "9")
    assert code == 3
    assert "are not recorded" in " ".join(out.split())
    code, out, _ = run("rerace", "r.db")
    assert code == 0
    assert "the journal's own rules have the same winner" in " ".join(out.split())
    assert count("r.db") == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--schedule", "halvin"), "did you mean 'halving'?"),
        (("--keep", "0.3"), "--keep belongs to a --schedule"),
        (("--schedule", "default", "--keep", "0.3"), "keep = 0.3 has no meaning"),
        (("--rule", "tests"), "did you mean 'test'?"),
        (("--screen", "little"), "--screen 'little' is no tolerance"),
        (("--criterion", "maxx"), "did you mean 'max'?"),
    ],
)
def test_rules_that_are_none_are_one_sentence(run, folder, options, message: str) -> None:
    run("select", "small.toml", "-j", "r.db")
    code, _, err = run("rerace", "r.db", *options)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("former", "today"),
    [
        (("--most", "20"), ("--max-instances", "20")),
        (
            ("--rule", "test", "--few", "permutation"),
            ("--rule", "test", "--pairwise-test=permutation"),
        ),
        (("--rule", "test", "--many=3"), ("--rule", "test", "--friedman-above", "3")),
    ],
)
def test_former_names_of_options_mean_the_same(run, raced, former, today) -> None:
    before = run("rerace", "small.db", "--rule", "test", *former)
    assert before[0] in (0, 3)
    assert before == run("rerace", "small.db", "--rule", "test", *today)
