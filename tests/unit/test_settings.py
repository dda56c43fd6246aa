from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from app.diagnostics import environment_report, paths, resource, start_logging
from app.settings import HEAT_KINDS, Settings, load_settings, save_settings


def test_the_file_holds_only_what_was_changed(tmp_path: Path):
    path = tmp_path / "config" / "settings.json"
    save_settings(Settings(theme="dark", cache_mb=128), path)
    assert json.loads(path.read_text()) == {"theme": "dark", "cache_mb": 128}
    assert load_settings(path) == Settings(theme="dark", cache_mb=128)
    assert [p.name for p in path.parent.iterdir()] == ["settings.json"]


def test_no_file_gives_the_defaults(tmp_path: Path):
    assert load_settings(tmp_path / "none.json") == Settings()


def test_settings_of_a_newer_version_are_passed_over(tmp_path: Path):
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "light", "telepathy": true}')
    assert load_settings(path).theme == "light"


@pytest.mark.expected_logs("cannot be read")
@pytest.mark.parametrize("text", ["", "{", '{"theme": "pink"}', '{"heat_opacity": 7}', '{"cache_mb": "many"}'])
def test_a_broken_file_is_set_aside(tmp_path: Path, text: str):
    path = tmp_path / "settings.json"
    path.write_text(text)
    assert load_settings(path) == Settings()
    assert (tmp_path / "settings.broken").read_text() == text
    assert not path.exists()


def test_every_setting_has_words_and_a_group_for_the_dialog():
    for field in msgspec.structs.fields(Settings):
        (meta,) = field.type.__metadata__
        assert meta.title
        assert meta.extra["group"]


def test_the_default_heat_map_is_one_that_the_key_reaches():
    assert Settings().heat_kind in HEAT_KINDS


def test_all_folders_lie_under_the_given_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SIAMLABEL_HOME", str(tmp_path))
    where = paths()
    assert all(tmp_path in p.parents for p in (where.settings, where.cache, where.state, where.documents, where.log))


def test_without_a_given_home_they_follow_the_platform(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SIAMLABEL_HOME")
    assert "SiamLabel" in str(paths().config)


def test_resources_are_found_in_a_checkout_and_in_a_frozen_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert resource("icons").is_dir()
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path), raising=False)
    assert resource("icons") == tmp_path / "resources" / "icons"


def test_the_report_names_what_a_bug_report_needs():
    report = environment_report()
    assert {"Python", "System", "torch", "PySide6-Essentials", "Log"} <= report.keys()
    assert "not installed" not in report.values()


def test_the_log_is_written_once(tmp_path: Path):
    import logging

    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        path = start_logging()
        assert start_logging() == path
        logging.getLogger("siamlabel").info("hello")
        (handler,) = [h for h in root.handlers if h not in before]
        handler.flush()
        assert path.read_text().count("hello") == 1
    finally:
        for handler in [h for h in root.handlers if h not in before]:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
