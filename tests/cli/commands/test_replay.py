"""``surefoot replay``: the recorded losses, to the bit."""

from surefoot.journal import Journal
from surefoot.seeds.ledger import FactorLevels
from tests.cli.commands.small import NETWORK


def test_replay_gives_the_recorded_loss(run, raced):
    for role, number in (("race", 0), ("certify", 6)):
        for study in ((), ("-s", "small.toml")):
            code, out, _ = run("replay", "small.db", "winner", number, "-r", role, *study)
            assert code == 0
            assert "the same: status, loss and curve agree to the last bit" in out


def test_replay_refuses_other_data_and_unknown_instances(run, raced):
    code, _, err = run("replay", "small.db", "winner", 99, "-s", "small.toml")
    assert code == 2
    assert "instance 99" in err
    assert run("replay", "small.db", "zzzz", 0)[0] == 2
    assert "did you mean 'race'" in run("replay", "small.db", "winner", 0, "-r", "rce")[2]
    text = (raced / "small.toml").read_text()
    (raced / "small.toml").write_text(text.replace("size = 60", "size = 61"))
    code, _, err = run("replay", "small.db", "winner", 0, "-s", "small.toml")
    assert code == 2
    assert "60 -> 61" in err


def test_an_instance_of_a_variance_study_can_be_replayed(run, small) -> None:
    run("variance", "networks.toml", "-c", NETWORK, "-j", "v.db", "-a", "5", "--draws", "0",
        "--inits", "0", "--tests", "1", "--tested", "1")  # fmt: skip
    with Journal.read("v.db") as journal:
        (key,) = journal.candidates()
    number = FactorLevels(0, 0, 0, 1).number
    code, out, _ = run("replay", "v.db", key, number, "-r", "variance")
    assert code == 0
    assert "agree to the last bit" in out
