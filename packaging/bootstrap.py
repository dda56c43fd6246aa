"""Set SiamLabel up and start it: ``python3 packaging/bootstrap.py run`` or ``python3 packaging/bootstrap.py test``.

Needs Python 3.11 or newer and nothing else; works on Linux, macOS and Windows. The first start makes ``.venv`` in the
checkout and installs the pinned packages; a stamp in it lets later starts go straight on.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import system_libraries

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
SAMPLE = ROOT / "resources" / "sample" / "video.mp4"
OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # torch's own: on PyPI only the CUDA build exists for Linux
GIGABYTES = {"cpu": 3, "cuda": 10}
WINDOW_COMMANDS = ("gui",)

USAGE = """\
python3 packaging/bootstrap.py run [arguments of main.py]
python3 packaging/bootstrap.py test [arguments of pytest]

run   opens the window on the sample clip; without a screen, runs the headless demo.
      With arguments it starts main.py with them: run info, run VIDEO, run track VIDEO --box X,Y,W,H --out DIR
test  runs the checks (ruff, import-linter, pyright) and all tests; with arguments, only pytest with them.

"""


class BootstrapError(Exception):
    """Set-up cannot go on; the text says why and what to do."""


def main(arguments: list[str]) -> int:
    """Exit code of whatever was started; 1 with one message when set-up could not be finished, 130 after Ctrl+C."""
    options, command, rest = parse(arguments)
    try:
        check_python(sys.version_info[:2])
        check_system(command, rest, options.system)
        python = ensure_environment(dev=command == "test", torch=options.torch)
        return test(python, rest) if command == "test" else run(python, rest)
    except (BootstrapError, system_libraries.MissingPackagesError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parse(arguments: list[str]) -> tuple[argparse.Namespace, str, list[str]]:
    """Our own options may stand anywhere before a ``--``; what is not ours is passed on."""
    parser = argparse.ArgumentParser(
        "bootstrap.py", description=USAGE, formatter_class=argparse.RawDescriptionHelpFormatter, add_help=False,
        usage=argparse.SUPPRESS, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--system", action="store_true", help="install missing system packages (apt or dnf, with sudo)")
    build = parser.add_mutually_exclusive_group()
    build.add_argument(
        "--cpu", dest="torch", action="store_const", const="cpu", help="torch without CUDA (default without NVIDIA)"
    )
    build.add_argument("--cuda", dest="torch", action="store_const", const="cuda", help="torch as PyPI has it")
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    options, rest = parser.parse_known_args(arguments[:cut])
    rest += arguments[cut + 1 :]
    if not rest or rest[0] not in ("run", "test"):
        parser.print_help(sys.stdout if rest in (["-h"], ["--help"]) else sys.stderr)
        raise SystemExit(0 if rest in (["-h"], ["--help"]) else 2)
    return options, rest[0], rest[1:]


def check_python(version: tuple[int, ...]) -> None:
    """Refuse a Python that is too old, and name a newer one when there is one."""
    if version >= OLDEST:
        return
    found = next((name for name in NEWER if shutil.which(name)), None)
    remedy = f"{found} is here: start this script with it." if found else "Install it from your system or python.org."
    raise BootstrapError(
        f"SiamLabel needs Python 3.11 or newer; {sys.executable} is {version[0]}.{version[1]}. {remedy}"
    )


def check_system(command: str, rest: list[str], install: bool) -> None:
    """What the distribution must bring, in one go: Python's venv module, and Qt's libraries when Qt will be loaded.

    Qt is loaded by the tests (offscreen) and by the window.
    """
    packages: tuple[str, ...] = ()
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        if not shutil.which("apt-get"):  # only Debian and its kin leave the module out
            raise BootstrapError(f"{sys.executable} lacks the modules venv and ensurepip; install a complete Python.")
        packages = (f"python{sys.version_info[0]}.{sys.version_info[1]}-venv",)
    qt = command == "test" or opens_window(rest)
    lacking = system_libraries.missing(screen=command == "run") if qt else []
    system_libraries.ensure(lacking, packages, install)


def opens_window(rest: list[str]) -> bool:
    """Whether main.py will show a window for these arguments: none, ``gui``, or a path to open."""
    if not rest:
        return system_libraries.has_display()
    return rest[0] in WINDOW_COMMANDS or Path(rest[0]).exists()


def ensure_environment(dev: bool, torch: str | None) -> Path:
    """The environment's interpreter, with everything installed; makes or mends the environment where needed.

    `torch`: "cpu", "cuda" or None for whatever is there, else what suits the machine.
    """
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    healthy = is_healthy(python)
    stamp = read_stamp() if healthy else {}
    wanted = fingerprint()
    if (
        stamp.get("fingerprint") == wanted
        and (stamp.get("dev") or not dev)
        and (torch is None or stamp.get("torch") == torch)
    ):
        return python
    build = torch or stamp.get("torch") or ("cuda" if has_nvidia() else "cpu")
    if not healthy or call([python, "-m", "pip", "--version"], quiet=True):
        warn_about_space(build)
        make_environment(python)
    stamp_path().unlink(missing_ok=True)  # a killed installation must not look finished
    install(python, dev, build)
    stamp_path().write_text(json.dumps({"fingerprint": wanted, "dev": dev, "torch": build}), encoding="utf-8")
    return python


def is_healthy(python: Path) -> bool:
    """Whether the environment's interpreter starts and is still the version that the environment was made for."""
    configuration = VENV / "pyvenv.cfg"
    if not python.exists() or not configuration.is_file():
        return False
    try:
        answer = subprocess.run(
            [python, "-I", "-S", "-c", "import sys; print('%d.%d.' % sys.version_info[:2])"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    lines = configuration.read_text(encoding="utf-8").splitlines()
    version = next((value.strip() for key, _, value in (line.partition("=") for line in lines)
                    if key.strip() in ("version", "version_info")), "")  # fmt: skip
    return version.startswith(answer.stdout.strip())


def make_environment(python: Path) -> None:
    print(f"Making {VENV} with Python {sys.version_info[0]}.{sys.version_info[1]} ...", flush=True)
    if VENV.is_symlink() or VENV.is_file():
        raise BootstrapError(f"{VENV} is not a folder of its own; move it away and start again.")
    if call([sys.executable, "-m", "venv", "--clear", str(VENV)]) or not python.exists():
        raise BootstrapError(f"Python could not make {VENV}; see above. Is the folder writable, the disk full?")


def install(python: Path, dev: bool, build: str) -> None:
    """The pinned packages; torch first and alone, or another package's wish for it would fetch the wrong build."""
    project = read_project()
    packages = [*needed(project), *(project["dependency-groups"]["dev"] if dev else [])]
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    if not sys.stdout.isatty():
        pip.append("-qq")  # errors only
    print("Installing the packages (the first time this takes some minutes) ...", flush=True)
    attempts = torch_attempts(build)
    for attempt in attempts:
        if not call([*pip, "--no-deps", *attempt], hide_errors=attempt is not attempts[-1]):
            break
    else:
        raise BootstrapError(advice("torch"))
    if call([*pip, "-c", str(CONSTRAINTS), *packages]):
        raise BootstrapError(advice("the packages"))


def torch_attempts(build: str) -> list[list[str]]:
    """pip arguments to try in turn: the small CPU build from pip's own sources, from torch's, then what PyPI has.

    Only Linux needs the detour; on Windows and macOS PyPI's build is the small one.
    """
    pin = next(line.strip() for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if "torch==" in line)
    if build != "cpu" or not sys.platform.startswith("linux"):
        return [[pin]]
    return [[pin + "+cpu"], [pin, "--index-url", CPU_INDEX, "--timeout", "15", "--retries", "1"], [pin]]


def advice(what: str) -> str:
    return (
        f"pip could not install {what}; its message is above. The usual reasons: no network or a proxy that pip does "
        "not know (pip config), a full disk, or a Python for which there are no wheels yet (3.11 to 3.13 are tried). "
        "Start again when it is mended: what was downloaded is kept."
    )


def warn_about_space(build: str) -> None:
    free, wanted = shutil.disk_usage(ROOT).free >> 30, GIGABYTES[build]
    if free < wanted:
        print(f"Only {free} GB are free under {ROOT}; .venv and what pip keeps may need {wanted} GB.", flush=True)


def has_nvidia() -> bool:
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


def fingerprint() -> str:
    """Hash of everything that decides what must be installed."""
    project = read_project()
    parts = [needed(project), project["dependency-groups"], CONSTRAINTS.read_text(encoding="utf-8")]
    return hashlib.sha256(json.dumps([*parts, sys.platform]).encode()).hexdigest()


def needed(project: dict) -> list[str]:
    """What the program runs on, optional speed included; markers leave out what a platform does not have."""
    return [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["fast"]]


def read_project() -> dict:
    import tomllib  # here, so that an older Python still reaches the message about its age

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def stamp_path() -> Path:
    return VENV / "siamlabel-stamp.json"


def read_stamp() -> dict:
    try:
        stamp = json.loads(stamp_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def run(python: Path, rest: list[str]) -> int:
    """Start main.py, in place of this process where the system can: then signals and exit codes are its own."""
    if not rest:
        if system_libraries.has_display():
            rest = ["gui", str(SAMPLE)]
        else:
            print("No screen here: running the demo on the sample clip instead of opening the window.", flush=True)
            rest = ["demo"]
    command: list[str | Path] = [python, ROOT / "main.py", *rest]
    if os.name != "nt":
        os.execv(python, [str(part) for part in command])
    return call(command)


def test(python: Path, rest: list[str]) -> int:
    """All checks and tests, each of them also when an earlier one failed; with arguments only pytest."""
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    if rest:
        return call([python, "-m", "pytest", *rest], environment, ROOT)
    scripts = python.parent
    steps = {
        "ruff": [python, "-m", "ruff", "check", "."],
        "import-linter": [scripts / "lint-imports"],
        "pyright": [python, "-m", "pyright", "--pythonpath", python],
        "pytest": [python, "-m", "pytest", "-n", "auto", "--dist", "loadfile"],
    }
    codes = {}
    for name, command in steps.items():
        print(f"== {name}", flush=True)
        codes[name] = call(command, environment, ROOT)
        if codes[name] == 130:
            return 130
    failed = [name for name, code in codes.items() if code]
    print(f"== failed: {', '.join(failed)}" if failed else "== all checks and tests passed", flush=True)
    return next((code for code in codes.values() if code), 0)


def call(
    command: list[str | Path],
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    quiet: bool = False,
    hide_errors: bool = False,
) -> int:
    """Run to the end (in `folder`, else where the user stands) and return the exit code (128 + n for signal n).

    Ctrl+C reaches the child from the terminal; we wait for it to clean up instead of killing it.
    """
    hidden = subprocess.DEVNULL
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        stdout=hidden if quiet else None,
        stderr=hidden if quiet or hide_errors else None,
    )
    interrupted = False
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:
            if interrupted:
                process.kill()
            interrupted = True
    if interrupted:
        return 130
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
