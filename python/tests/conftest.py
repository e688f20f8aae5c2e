"""Where the repository's fixtures are."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def fixtures() -> Path:
    folder = Path(__file__).resolve().parents[2] / "fixtures"
    assert folder.is_dir(), "the tests run inside the repository"
    return folder
