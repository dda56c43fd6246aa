"""What every test gets, and what no test may leave behind.

- user folders are a fresh temporary folder per test (``SIAMLABEL_HOME``), so that nothing is read from the developer;
- a logged record of level WARNING or worse fails the test, unless it matches ``@pytest.mark.expected_logs("regex")``;
- a thread that outlives its test fails it, by name;
- a skip is a failure, unless its reason starts with one of `ALLOWED_SKIPS`;
- Qt draws offscreen and its warnings fail the test (``qt_log_level_fail`` in pyproject.toml);
- hypothesis repeats the same examples on every run.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports Qt, torch or OpenCV: they read these once.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ |= {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}  # the window speaks the system's language
os.environ.setdefault("PYTEST_QT_API", "pyside6")
if "PYTEST_XDIST_WORKER" in os.environ:
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
_session_home = tempfile.TemporaryDirectory(prefix="siamlabel-tests-", ignore_cleanup_errors=True)
os.environ["SIAMLABEL_HOME"] = _session_home.name  # for fixtures of wider scope; each test gets its own below

if sys.platform == "win32":
    import torch  # noqa: F401  # torch imported after Qt cannot load its libraries there, and pytest-qt imports Qt early

ROOT = Path(__file__).resolve().parents[1]
ALLOWED_SKIPS = ("needs CUDA", "needs MPS", "needs Windows", "needs macOS", "needs Linux", "needs POSIX")
THREAD_GRACE_SECONDS = 3.0

settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "expected_logs(*patterns): records of level WARNING or worse that match one of the regexes are fine"
    )


@pytest.fixture(autouse=True)
def _own_user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SIAMLABEL_HOME", str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(home / variable.lower()))


@pytest.fixture(autouse=True)
def _no_stray_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """The record factory sees every record, whatever handlers and propagation the code under test sets up."""
    marker = request.node.get_closest_marker("expected_logs")
    patterns = [re.compile(p) for p in marker.args] if marker else []
    stray: list[str] = []
    factory = logging.getLogRecordFactory()

    def watching(*args: object, **kwargs: object) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        if record.levelno >= logging.WARNING:
            text = record.getMessage()
            if not any(p.search(text) for p in patterns):
                stray.append(f"{record.levelname} {record.name}: {text} ({record.pathname}:{record.lineno})")
        return record

    logging.setLogRecordFactory(watching)
    yield
    logging.setLogRecordFactory(factory)
    if stray:
        pytest.fail("unexpected log records:\n" + "\n".join(stray), pytrace=False)


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREAD_GRACE_SECONDS
    while leaked := _new_threads(before):
        if time.monotonic() > deadline:
            pytest.fail("leaked threads: " + ", ".join(sorted(t.name for t in leaked)), pytrace=False)
        leaked[0].join(0.05)


def _new_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    # A foreign thread (of Qt, of OpenCV) that once ran Python is listed as a dummy for ever; it cannot be joined.
    return [t for t in threading.enumerate() if t not in before and not isinstance(t, threading._DummyThread)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _fail_unexpected_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    if report.skipped:
        _fail_unexpected_skip(report)
    return report


def _fail_unexpected_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith(ALLOWED_SKIPS):
        report.outcome = "failed"
        report.longrepr = f"unexpected skip ({reason}); allowed reasons start with: {', '.join(ALLOWED_SKIPS)}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT
