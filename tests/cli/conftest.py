import pytest

from narrows.cli.main import run


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory):
    """The folder of a small model of the digits."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    quick = ["--epochs", "2", "--set", "network.widths=32", "--set", "training.route=float32"]
    assert run(["train", "digits", "--out", str(folder), *quick]) == 0
    return folder
