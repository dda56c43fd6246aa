from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import pytest

ICONS = Path(__file__).parents[2] / "resources" / "icons"
SVG = "{http://www.w3.org/2000/svg}"
PAINTS = {"currentColor", "none"}
NEEDED = {
    "open", "save", "export", "undo", "redo", "play", "pause", "step-forward", "step-back", "first", "last",
    "add-object", "track-forward", "track-backward", "stop", "keyframe", "delete", "eye", "eye-off", "fit", "zoom-in",
    "zoom-out", "heat", "mask", "settings", "help", "warning", "lost", "verified", "camera", "folder", "film", "close",
    "search", "chevron-down", "chevron-up",
}  # fmt: skip


def line_icons() -> list[Path]:
    return sorted(p for p in ICONS.glob("*.svg") if p.stem != "siamlabel")


def test_every_icon_that_the_window_names_is_there() -> None:
    assert {p.stem for p in line_icons()} >= NEEDED


@pytest.mark.parametrize("path", line_icons(), ids=lambda p: p.stem)
def test_one_visual_language(path: Path) -> None:
    root = ET.parse(path).getroot()
    assert root.tag == SVG + "svg"
    assert (root.get("viewBox"), root.get("width"), root.get("height")) == ("0 0 24 24", "24", "24")
    assert (root.get("stroke"), root.get("fill"), root.get("stroke-width")) == ("currentColor", "none", "1.75")
    assert (root.get("stroke-linecap"), root.get("stroke-linejoin")) == ("round", "round")
    assert len(root) > 0
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {"svg", "path", "rect", "circle"}
        assert element.get("stroke", "none") in PAINTS
        assert element.get("fill", "none") in PAINTS
        assert element.get("style") is None
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgb\(", path.read_text(encoding="utf-8"))


def test_the_application_icon_is_drawn_and_rendered() -> None:
    root = ET.parse(ICONS / "siamlabel.svg").getroot()
    assert root.get("viewBox") == "0 0 256 256"
    image = cv2.imread(str(ICONS / "siamlabel.png"), cv2.IMREAD_UNCHANGED)
    assert image is not None
    assert image.shape == (256, 256, 4)
    assert image[0, 0, 3] == 0, "corners are transparent"
    assert image[128, 128, 3] == 255
