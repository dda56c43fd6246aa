from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tracker import registry
from tracker.api import TrackerError


def write_safetensors(path: Path, metadata: dict[str, str]) -> None:
    header = {
        "__metadata__": metadata,
        "a.weight": {"dtype": "F16", "shape": [4, 3, 3], "data_offsets": [0, 72]},
        "a.bias": {"dtype": "F16", "shape": [4], "data_offsets": [72, 80]},
    }
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(80))


def test_default_is_another_name_of_the_embedded_tracker():
    assert registry.resolve("default") == registry.names()[0] == "siamatt-mobile"
    assert "default" in registry.info("default").aliases
    assert [info.name for info in registry.infos()] == list(registry.names())


def test_every_alias_an_info_claims_resolves_to_it():
    for info in registry.infos():
        assert all(registry.resolve(alias) == info.name for alias in info.aliases)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(TrackerError, match=r"siamrpn.*siamatt-mobile.*opencv-nano.*default"):
        registry.create("siamrpn")


def test_unknown_options_are_refused_by_name():
    with pytest.raises(TrackerError, match="opencv-kcf does not take the option weights"):
        registry.create("opencv-kcf", weights="x")


def test_options_left_out_as_none_are_not_passed_on():
    assert registry.create("opencv-kcf", nanotrack_dir=None).name == "opencv-kcf"


def test_the_header_of_weights_is_read_without_their_values(tmp_path, monkeypatch):
    (tmp_path / "resources" / "weights").mkdir(parents=True)
    path = tmp_path / "resources" / "weights" / "siamatt-mobile.safetensors"
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    missing = registry.info("default")
    assert not missing.ready
    assert "import-weights" in missing.weights
    write_safetensors(path, {"licence": "Apache-2.0, with notes"})
    found = registry.info("default")
    assert (found.ready, found.licence) == (True, "Apache-2.0, with notes")
    assert registry.weight_files("default") == (path,)


def test_imported_weights_are_found_and_siammasks_serve_attsiammask(tmp_path, monkeypatch):
    monkeypatch.setenv("SIAMLABEL_HOME", str(tmp_path))
    assert not registry.info("attsiammask-r50").ready
    registry.weights_home().mkdir()
    write_safetensors(registry.weights_home() / "siammask-r50.safetensors", {})
    assert registry.info("attsiammask-r50").ready
    assert not registry.info("siamrpnpp-r50").ready
    (registry.weights_home() / "siamrpnpp-r50.safetensors").write_bytes(b"half a fi")
    assert "damaged" in registry.info("siamrpnpp-r50").weights


def test_a_tracker_without_weights_is_refused_unless_asked_for_untrained():
    with pytest.raises(TrackerError, match=r"siamrpnpp-alex has no weights.*import-weights.*--untrained"):
        registry.create("siamrpnpp-alex", "cpu")


def test_an_unknown_profile_lists_the_known_ones():
    with pytest.raises(TrackerError, match="vot, otb"):
        registry.create("siamrpnpp-r50", "cpu", profile="lasot", untrained=True)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, struct.pack("<Q", 4) + b"[1]\n"])
def test_broken_weights_are_named(tmp_path, content):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(TrackerError, match=r"broken\.safetensors"):
        registry.safetensors_header(path)


def test_listing_the_trackers_imports_neither_torch_nor_opencv():
    code = "import sys, tracker.registry as r; r.infos(); sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    root = Path(registry.__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
