"""``surefoot variance`` on small showers."""

from tests.cli.commands.small import NETWORK, count


def test_variance_finds_its_sources_and_goes_on(run, small) -> None:
    options = ("-c", NETWORK, "-j", "v.db", "-a", "5", "--tested", "2", "--tests", "2")
    crossed = ("--draws", "2", "--inits", "3")
    code, out, err = run("variance", "networks.toml", *options, *crossed)
    assert (code, err) == (0, "")
    # 5 + 4 + 4 alone, two more of the 2 x 3, two further test samples of two instances.
    assert count("v.db") == 13 + 1 + 4
    assert "instances: 18 to go" in out
    for words in (
        "initialisation alone: standard deviation",
        "sample alone: standard deviation",
        "crossed, 2 samples x 3 initialisations; shares of the variance:",
        "initialisation with batch order",
        "test sample alone, part of the sample: standard deviation",
    ):
        assert words in out
    assert (small / "v.png").read_bytes().startswith(b"\x89PNG")
    _, more, _ = run("variance", "networks.toml", *options, "--draws", "3", "--inits", "3")
    assert "2 to go (18 before)" in more or "1 to go" in more
