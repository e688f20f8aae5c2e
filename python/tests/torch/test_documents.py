"""Promise: what the pages, examples and notebooks about torch show is what happens."""

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest

import election_coding.torch.digests

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("page,least", [("docs/faulty-accelerator.md", 7), ("docs/python.md", 8)])
def test_pages(page: str, least: int) -> None:
    if page == "docs/python.md":
        pytest.importorskip("byzfl")
    failed, tried = doctest.testfile(str(ROOT / page), module_relative=False, optionflags=doctest.FAIL_FAST)
    assert failed == 0 and tried >= least


def test_docstrings() -> None:
    failed, tried = doctest.testmod(election_coding.torch.digests)
    assert failed == 0 and tried >= 3


# one_wrong_of_eight.py runs in its notebook.
@pytest.mark.parametrize("example,shown", [("nine_ranks.py", "the same parameters, bit for bit")])
def test_examples(example: str, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "python/examples" / example)], capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout


@pytest.mark.parametrize("name", ["design-and-play", "cnn-under-attack", "one-wrong-gpu", "which-of-my-gpus"])
def test_notebooks(name: str, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(ROOT / "docs/notebooks" / f"{name}.ipynb", as_version=4)
    folder = {"metadata": {"path": str(ROOT / "docs/notebooks")}}
    nbclient.NotebookClient(notebook, timeout=500, kernel_name="python3", resources=folder).execute()
    assert all("id" in cell for cell in notebook.cells)
