"""The main states of the window look as they did when somebody looked at them (see remake.py)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from subprocess import TimeoutExpired

import numpy as np
import pytest
from golden_compare import PICTURES, STATES, VARIANTS, compare, draw, golden, reduced, write_difference


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Draws a variant when it is first asked for; answers with its folder. Raises what drawing it raised."""

    @cache
    def folder(variant: str) -> tuple[Path, Exception | None]:
        out = tmp_path_factory.mktemp(variant)
        try:
            draw(variant, out)
        except (RuntimeError, TimeoutExpired) as error:
            return out, error
        return out, None

    def asked(variant: str) -> Path:
        out, error = folder(variant)
        if error is not None:
            raise error
        return out

    return asked


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_it_looks_as_it_did(drawn: Callable[[str], Path], variant: str, state: str) -> None:
    full = drawn(variant) / f"{state}.png"
    wanted, found = golden(PICTURES / variant / f"{state}.png"), reduced(full, VARIANTS[variant][1])
    where = Path(tempfile.gettempdir()) / "siamlabel-golden" / f"{variant}-{state}.png"
    try:
        told = compare(wanted, found)
        fault = "" if told.small else str(told)
    except ValueError as error:
        fault = str(error)
    if fault:
        write_difference(wanted, found, where)
        pytest.fail(
            f"{variant}/{state} {fault}. Wanted, found and difference: {where}; in full: {full}. If it is meant to "
            "look like this: python tests/gui/golden/remake.py",
            pytrace=False,
        )


def test_the_comparison_sees_what_a_user_would() -> None:
    rng = np.random.default_rng(1)
    scene = np.full((300, 400, 3), 240, np.uint8)
    scene[40:60, 30:200] = 30
    scene[100:200, 220:380] = rng.integers(80, 160, (100, 160, 3), np.uint8)
    noisy = np.clip(scene.astype(int) + rng.integers(-6, 7, scene.shape), 0, 255).astype(np.uint8)
    assert compare(scene, noisy).small
    missing = scene.copy()
    missing[40:60, 30:200] = 240
    assert not compare(scene, missing).small
    assert not compare(scene, np.roll(scene, 12, 0)).small
    assert not compare(scene, 255 - scene).small
    with pytest.raises(ValueError, match="size"):
        compare(scene, scene[:200])


def test_the_pictures_are_small() -> None:
    kept = list(PICTURES.rglob("*.png"))
    assert {path.relative_to(PICTURES).as_posix() for path in kept} == {
        f"{v}/{s}.png" for v in VARIANTS for s in STATES
    }
    assert sum(path.stat().st_size for path in kept) < 2_000_000
