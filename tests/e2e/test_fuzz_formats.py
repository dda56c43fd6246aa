"""A short run of the fuzzing command over every format; the long one is run by hand (CONTRIBUTING.md)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits of memory")
def test_mutated_files_are_read_or_refused(root: Path, tmp_path: Path):
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'tests' / 'unit'}"}
    command = [sys.executable, "tests/reference/fuzz_formats.py", "--count", "150", "--keep", str(tmp_path)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "coco:" in done.stdout
    assert "csv:" in done.stdout
