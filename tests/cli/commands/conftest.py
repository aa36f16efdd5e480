import pytest


@pytest.fixture
def raced(run, folder):
    """A folder with the journal of the small study."""
    assert run("select", "small.toml")[0] == 0
    return folder


@pytest.fixture
def small(folder, monkeypatch):
    """The study file of networks with a test sample of its own."""
    text = (folder / "networks.toml").read_text()
    (folder / "networks.toml").write_text(text.replace("size = 64", "size = 64\ntest_size = 50"))
    return folder
