"""Draw the golden pictures anew: look at each before it is committed.

    python tests/gui/golden/remake.py [FOLDER]

The full pictures go to FOLDER (else a temporary one), the small ones that the tests compare beside this script.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

# ruff: noqa: E402
from golden_compare import PICTURES, STATES, VARIANTS, draw, keep


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="golden-"))
    for variant, (_, scale) in VARIANTS.items():
        draw(variant, folder / variant)
        for state in STATES:
            keep(folder / variant / f"{state}.png", PICTURES / variant / f"{state}.png", scale)
    size = sum(path.stat().st_size for path in PICTURES.rglob("*.png"))
    print(f"{len(STATES) * len(VARIANTS)} pictures, {size / 1e6:.1f} MB; in full in {folder}")


if __name__ == "__main__":
    main()
