"""The rules of the house that a reviewer should not have to remember; see docs/ARCHITECTURE.md for their reasons."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LONGEST_FILE = 400
SOURCES = ("app", "tracker", "packaging", "resources", "tests")
HEAVY = {"torch", "cv2", "matplotlib"}
QT = {"PySide6", "shiboken6", "pyqtgraph", "superqt"}


def run(root: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120)


def sources(root: Path, *folders: str) -> list[Path]:
    return [root / "main.py", *(path for folder in folders for path in sorted((root / folder).rglob("*.py")))]


def test_imports_go_downwards_only(root: Path) -> None:
    done = run(root, "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))")
    assert done.returncode == 0, done.stdout + done.stderr


def test_packaging_is_no_package(root: Path) -> None:
    """With an ``__init__.py`` it would hide the library of that name, which pip's tools and PyInstaller import."""
    assert not list((root / "packaging").rglob("__init__.py"))
    done = run(root, "import packaging.version; print(packaging.version.Version('1.2'))")
    assert done.stdout.strip() == "1.2", done.stderr


DOORS = {
    "tracker.api": QT | HEAVY | {"av"},
    "tracker.registry": QT | HEAVY | {"av"},
    "tracker.cli": QT | HEAVY,
    "app.model.history": QT | HEAVY | {"av"},
    "app.formats.base": QT | HEAVY,
    "app.media.service": QT | {"torch"},
    "app.commands": QT | HEAVY,
    "app.scene": QT | HEAVY,
    "app.session": QT | HEAVY,
    "app.cli": QT | HEAVY,
}


@pytest.mark.parametrize("door", DOORS)
def test_a_headless_door_loads_nothing_heavy(root: Path, door: str) -> None:
    """In a fresh process: dynamic imports escape the linter."""
    done = run(root, f"import sys, {door}; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    assert not DOORS[door] & {name.partition(".")[0] for name in done.stdout.split()}


def test_help_loads_nothing_heavy(root: Path) -> None:
    done = run(root, "import sys, main; main.command_line(); print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    assert not (QT | HEAVY) & {name.partition(".")[0] for name in done.stdout.split()}


def test_files_stay_short_enough_to_read(root: Path) -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources(root, *SOURCES)}
    assert not {str(path): n for path, n in lengths.items() if n >= LONGEST_FILE}


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"\bprocessEvents\b", "long work is a generator on a lane; nothing pumps the event loop"),
        (r"CAP_PROP_POS_(FRAMES|MSEC)", "OpenCV seeks wrongly; a frame is its place in the packet index"),
        (r"\bVideoCapture\b", "one reader, app.media; trackers get pictures"),
        (r"torch\.load\((?!.*weights_only=True)", "an untrusted pickle must not run code"),
        (r"\b(TODO|FIXME|XXX)\b", "an issue can be found and closed, a remark cannot"),
    ],
)
def test_what_must_not_appear(root: Path, pattern: str, reason: str) -> None:
    found = [
        f"{path.relative_to(root)}:{number}"
        for path in sources(root, "app", "tracker", "resources")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, f"{reason}: {found}"


def test_qt_keeps_its_references(root: Path) -> None:
    """PySide6 6.12.0 on Python 3.11 lost one reference per emit and aborted after some hundred."""
    code = """
from PySide6.QtCore import QObject, Signal
class Source(QObject):
    fired = Signal(bool)
source, seen = Source(), []
source.fired.connect(seen.append)
for _ in range(2000):
    source.fired.emit(True)
print(len(seen))
"""
    done = run(root, code)
    assert done.stdout.strip() == "2000", f"exit code {done.returncode}: {done.stderr}"


def test_one_version(root: Path) -> None:
    import app

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert app.__version__ == project["version"]


def test_the_entry_tells_user_errors_in_one_sentence(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import main
    from tracker.api import TrackerError

    def fail(*_: object, **__: object) -> int:
        raise error

    class Cli:
        __contains__ = lambda self, name: True  # noqa: E731
        __call__ = fail

    monkeypatch.setattr(main, "command_line", Cli)
    error: BaseException = TrackerError("there is no tracker of that name")
    assert main.main(["track"]) == main.USER_ERROR
    assert capsys.readouterr().err == "siamlabel: there is no tracker of that name\n"
    error = KeyboardInterrupt()
    assert main.main(["track"]) == main.INTERRUPTED
    error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        main.main(["track"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
def test_no_screen_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import main

    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main.main([]) == main.USER_ERROR
    assert "no screen" in capsys.readouterr().err
