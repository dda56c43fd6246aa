"""Setting up: what is decided, what is said, what is healed. Nothing here installs a package or needs a network."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def bootstrap(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The module, its environment in a temporary folder and pip replaced by a note of what it was asked."""
    monkeypatch.syspath_prepend(str(root / "packaging"))
    module = importlib.import_module("bootstrap")
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    return module


@pytest.fixture
def libraries(bootstrap: ModuleType) -> ModuleType:
    return bootstrap.system_libraries


@pytest.fixture(scope="module")
def made_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real environment without pip, to copy from: making one for every test would take too long."""
    folder = tmp_path_factory.mktemp("made") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder


@pytest.fixture
def pip(bootstrap: ModuleType, made_environment: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pip was asked, call by call; every call succeeds, and making an environment does."""
    asked: list[list[str]] = []

    def call(command: list[str | Path], **_: bool) -> int:
        if "venv" in command:
            assert "--clear" in command
            shutil.rmtree(bootstrap.VENV, ignore_errors=True)
            shutil.copytree(made_environment, bootstrap.VENV, symlinks=True)
        else:
            asked.append([str(part) for part in command[command.index("pip") + 1 :]])
        return 0

    monkeypatch.setattr(bootstrap, "call", call)
    monkeypatch.setattr(bootstrap, "has_nvidia", lambda: False)
    return asked


def requests(asked: list[list[str]]) -> list[list[str]]:
    return [arguments for arguments in asked if arguments[0] == "install"]


def test_arguments_after_the_command_are_passed_on(bootstrap: ModuleType) -> None:
    arguments = ["run", "track", "a.mp4", "--box", "1,2,3,4", "--system", "-x", "--", "--cpu"]
    options, command, rest = bootstrap.parse(arguments)
    assert (options.system, options.torch, command) == (True, None, "run")
    assert rest == ["track", "a.mp4", "--box", "1,2,3,4", "-x", "--cpu"]


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), ([], 2), (["fly"], 2)])
def test_usage(bootstrap: ModuleType, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bootstrap.parse(arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == code
    assert "packaging/bootstrap.py run" in (err if code else out)


def test_an_old_python_is_told_so(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/" + name if name == "python3.12" else None)
    with pytest.raises(bootstrap.BootstrapError, match=r"needs Python 3\.11 or newer; .* is 3\.9\. python3\.12 is"):
        bootstrap.check_python((3, 9))


def test_a_python_without_venv_names_the_package(
    bootstrap: ModuleType, libraries: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name if name == "apt-get" else None)
    lose(libraries, monkeypatch, "libEGL.so.1")
    version = rf"python3\.{sys.version_info[1]}"
    with pytest.raises(libraries.MissingPackagesError, match=rf"apt-get install -y {version}-venv\n"):
        bootstrap.check_system("run", ["info"], install=False)
    with pytest.raises(libraries.MissingPackagesError, match=rf"apt-get install -y libegl1 {version}-venv\n"):
        bootstrap.check_system("test", [], install=False)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(bootstrap.BootstrapError, match="install a complete Python"):
        bootstrap.check_system("run", ["info"], install=False)


def test_the_script_parses_on_pythons_that_it_refuses(root: Path) -> None:
    """Or they would show a syntax error instead of the message."""
    import ast

    for name in ("bootstrap.py", "system_libraries.py"):
        ast.parse((root / "packaging" / name).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_first_start_installs_and_second_does_not(bootstrap: ModuleType, pip: list[list[str]]) -> None:
    python = bootstrap.ensure_environment(dev=False, torch=None)
    torch, everything = requests(pip)
    assert "--no-deps" in torch
    assert torch[-1].startswith("torch==")
    assert any(a.startswith("PySide6-Essentials") for a in everything)
    assert not any(a.startswith("pytest") for a in everything)
    assert everything[everything.index("-c") + 1] == str(bootstrap.CONSTRAINTS)
    pip.clear()
    assert bootstrap.ensure_environment(dev=False, torch=None) == python
    assert pip == []


def test_tests_add_the_development_packages_once(bootstrap: ModuleType, pip: list[list[str]]) -> None:
    bootstrap.ensure_environment(dev=False, torch=None)
    pip.clear()
    bootstrap.ensure_environment(dev=True, torch=None)
    assert any(a.startswith("pytest") for a in requests(pip)[-1])
    pip.clear()
    bootstrap.ensure_environment(dev=True, torch=None)
    bootstrap.ensure_environment(dev=False, torch=None)
    assert pip == []


def test_changed_requirements_are_installed(
    bootstrap: ModuleType, pip: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bootstrap.ensure_environment(dev=False, torch=None)
    changed = tmp_path / "constraints.txt"
    changed.write_text(bootstrap.CONSTRAINTS.read_text(encoding="utf-8") + "\nnewcomer==1.0\n", encoding="utf-8")
    monkeypatch.setattr(bootstrap, "CONSTRAINTS", changed)
    pip.clear()
    bootstrap.ensure_environment(dev=False, torch=None)
    assert len(requests(pip)) == 2


def test_a_failed_installation_is_tried_again(
    bootstrap: ModuleType, pip: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.ensure_environment(dev=False, torch=None)
    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "install", lambda *_: (_ for _ in ()).throw(bootstrap.BootstrapError("no network")))
        with pytest.raises(bootstrap.BootstrapError):
            bootstrap.ensure_environment(dev=True, torch=None)
    assert not bootstrap.stamp_path().exists()
    pip.clear()
    bootstrap.ensure_environment(dev=False, torch=None)
    assert requests(pip)


@pytest.mark.parametrize("damage", ["interpreter", "configuration", "other version", "empty", "stamp"])
def test_a_half_made_environment_is_healed(bootstrap: ModuleType, pip: list[list[str]], damage: str) -> None:
    python = bootstrap.ensure_environment(dev=False, torch=None)
    configuration = bootstrap.VENV / "pyvenv.cfg"
    if damage == "interpreter":
        python.unlink()
    elif damage == "configuration":
        configuration.unlink()
    elif damage == "other version":  # the system's Python was upgraded below the environment
        lines = configuration.read_text(encoding="utf-8").splitlines()
        lines = ["version = 3.5.0" if line.startswith("version") else line for line in lines]
        configuration.write_text("\n".join(lines), encoding="utf-8")
    elif damage == "empty":
        shutil.rmtree(bootstrap.VENV)
        bootstrap.VENV.mkdir()
    else:
        bootstrap.stamp_path().write_text("{half", encoding="utf-8")
    pip.clear()
    assert bootstrap.ensure_environment(dev=False, torch=None) == python
    assert bootstrap.is_healthy(python)
    assert len(requests(pip)) == 2
    assert json.loads(bootstrap.stamp_path().read_text(encoding="utf-8"))["torch"] == "cpu"


def test_a_file_in_the_way_is_not_overwritten(bootstrap: ModuleType, pip: list[list[str]]) -> None:
    bootstrap.VENV.write_text("mine", encoding="utf-8")
    with pytest.raises(bootstrap.BootstrapError, match="move it away"):
        bootstrap.ensure_environment(dev=False, torch=None)
    assert bootstrap.VENV.read_text(encoding="utf-8") == "mine"


def test_torch_without_cuda_is_asked_for_first_on_linux(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    small, theirs, plain = bootstrap.torch_attempts("cpu")
    assert small == [plain[0] + "+cpu"]
    assert theirs[:2] == [plain[0], "--index-url"]
    assert bootstrap.torch_attempts("cuda") == [plain]
    monkeypatch.setattr(bootstrap.sys, "platform", "darwin")
    assert bootstrap.torch_attempts("cpu") == [plain]


def test_every_requirement_is_pinned(bootstrap: ModuleType) -> None:
    import re

    lines = bootstrap.CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", pin) for pin in pins), pins
    names = {pin.partition("==")[0].lower().replace("_", "-") for pin in pins}
    project = bootstrap.read_project()
    wanted = [*bootstrap.needed(project), *project["dependency-groups"]["dev"]]
    assert {re.match(r"[\w-]+", w)[0].lower().replace("_", "-") for w in wanted} <= names
    assert len(names) == len(pins)


@pytest.mark.parametrize(
    ("arguments", "display", "window"),
    [([], "", False), ([], ":0", True), (["gui"], "", True), (["track", "a"], ":0", False), (["--help"], ":0", False)],
)
def test_when_qt_is_needed(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, arguments: list[str], display: str, window: bool
) -> None:
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", display)
    assert bootstrap.opens_window(arguments) is window


def lose(libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, *sonames: str) -> None:
    monkeypatch.setattr(libraries.sys, "platform", "linux")
    monkeypatch.setattr(libraries, "_loadable", lambda soname: soname not in sonames)
    monkeypatch.setattr(libraries, "_any_font", lambda: True)


def test_missing_libraries_give_the_exact_line(libraries: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(libraries, monkeypatch, "libEGL.so.1", "libxcb-cursor.so.0", "libglib-2.0.so.0", "libgthread-2.0.so.0")
    monkeypatch.setenv("DISPLAY", ":0")
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(libraries.os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setattr(libraries.shutil, "which", lambda name: name if name == "apt-get" else None)
    lacking = libraries.missing(screen=True)
    with pytest.raises(libraries.MissingPackagesError) as error:
        libraries.ensure(lacking, (), install=False)
    line = "sudo apt-get update && sudo apt-get install -y libegl1 libglib2.0-0 libxcb-cursor0"
    assert f"\n    {line}\n" in str(error.value)
    monkeypatch.setattr(libraries.shutil, "which", lambda name: name if name == "dnf" else None)
    assert libraries.install_commands(lacking) == [
        ["sudo", "dnf", "install", "-y", "glib2", "libglvnd-egl", "xcb-util-cursor"]
    ]
    monkeypatch.setattr(libraries.shutil, "which", lambda name: None)
    with pytest.raises(libraries.MissingPackagesError, match=r"needs libEGL\.so\.1, .* install what brings them"):
        libraries.ensure(lacking, (), install=True)


def test_root_needs_no_sudo_and_system_runs_the_line(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lose(libraries, monkeypatch, "libGL.so.1")
    monkeypatch.setattr(libraries.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(libraries.shutil, "which", lambda name: name if name == "apt-get" else None)
    ran: list[list[str]] = []
    monkeypatch.setattr(libraries.subprocess, "call", lambda command, env: ran.append(command) or 0)
    libraries.ensure(libraries.missing(screen=False), (), install=True)
    assert ran == [["apt-get", "update"], ["apt-get", "install", "-y", "libgl1"]]
    assert "libGL.so.1" in capsys.readouterr().out


def test_one_platform_plugin_is_enough(libraries: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(libraries, monkeypatch, "libxcb-cursor.so.0")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert libraries.missing(screen=True) == []
    monkeypatch.delenv("WAYLAND_DISPLAY")
    assert [need.soname for need in libraries.missing(screen=True)] == ["libxcb-cursor.so.0"]
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert libraries.missing(screen=True) == []


def test_no_fonts_is_worth_a_package(libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(libraries.sys, "platform", "linux")
    monkeypatch.setattr(libraries, "_loadable", lambda soname: True)
    monkeypatch.setattr(libraries, "FONT_FOLDERS", (str(tmp_path),))
    assert [need.apt for need in libraries.missing(screen=False)] == ["fonts-dejavu-core"]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Sans.TTF").touch()
    assert libraries.missing(screen=False) == []


def test_exit_codes_come_through(bootstrap: ModuleType) -> None:
    assert bootstrap.call([sys.executable, "-c", "import sys; sys.exit(7)"]) == 7


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_a_signal_becomes_128_plus_its_number(bootstrap: ModuleType) -> None:
    assert bootstrap.call([sys.executable, "-c", "import os; os.kill(os.getpid(), 15)"]) == 128 + 15


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_lets_the_child_clean_up(root: Path) -> None:
    """The terminal sends the signal to both; the child's own clean-up must be waited for, and 130 is the answer."""
    heard = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # a shell's background jobs ignore it
    child = (
        f"import os, signal, time; {heard}\n"
        "try:\n"
        "    os.killpg(0, signal.SIGINT)\n"
        "    time.sleep(20)\n"
        "except KeyboardInterrupt:\n"
        "    time.sleep(0.3); print('cleaned up')\n"
    )
    parent = f"import signal, sys, bootstrap; {heard}; sys.exit(bootstrap.call([sys.executable, '-c', {child!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", parent], cwd=root / "packaging", start_new_session=True,
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "cleaned up\n"), done.stderr


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX exec")
def test_run_hands_over_to_main(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(bootstrap.os, "execv", lambda path, command: started.append(command))
    monkeypatch.setattr(bootstrap, "call", lambda command: 0)
    monkeypatch.setattr(bootstrap.system_libraries, "has_display", lambda: False)
    bootstrap.run(Path("python"), [])
    bootstrap.run(Path("python"), ["info"])
    monkeypatch.setattr(bootstrap.system_libraries, "has_display", lambda: True)
    bootstrap.run(Path("python"), [])
    script = str(bootstrap.ROOT / "main.py")
    assert started == [
        ["python", script, "demo"],
        ["python", script, "info"],
        ["python", script, "gui", str(bootstrap.SAMPLE)],
    ]


def test_every_check_runs_even_after_a_failure(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def call(command: list[str | Path], environment: dict[str, str], folder: Path) -> int:
        ran.append(" ".join(str(part) for part in command))
        return 3 if "ruff" in ran[-1] else 0

    monkeypatch.setattr(bootstrap, "call", call)
    assert bootstrap.test(Path("bin/python"), []) == 3
    assert [any(word in line for line in ran) for word in ("ruff", "lint-imports", "pyright", "pytest")] == [True] * 4
    assert "failed: ruff" in capsys.readouterr().out
    ran.clear()
    bootstrap.test(Path("bin/python"), ["-k", "box"])
    assert ran == [f"{Path('bin/python')} -m pytest -k box"]
