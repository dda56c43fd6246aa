"""OTB: ``<clip>/groundtruth_rect.txt`` and ``<clip>/img/0001.jpg``.

One row ``x,y,w,h`` a frame, pixels counted from 1; ``0,0,0,0`` where there is no box. When reading, tabs and blanks
separate, too. Several objects are ``groundtruth_rect.<id>.txt`` in one folder, as in the set's Jogging and Skating2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app.formats.names import stem
from app.formats.single import held
from app.formats.single_read import NOTE, Spot, folders, pictures, read_rows
from app.formats.trackingnet import BECOMES, BoxesOnly
from app.model.document import Document
from app.model.tracks import Track

STARTS = {"David": 300, "BlurCar1": 247, "BlurCar3": 3, "BlurCar4": 18}
"""The number of the first picture of the clips whose rows begin later than their pictures."""

_TRUTH = re.compile(r"groundtruth_rect(?:\.([1-9]\d{0,8}))?\.txt", re.ASCII)


class OtbFormat(BoxesOnly):
    """See the module's text for the conventions, `app.formats.single.SingleParams` for the options."""

    id = "otb"
    title = "OTB"
    holds = held(**BECOMES, tracks="a file for each; the id of a lone one in siamlabel.json")
    origin = 1
    picture = "{:04d}.jpg"
    ours = re.compile(rf"[^/]+/({_TRUTH.pattern}|{NOTE}|img/\d{{4,}}\.jpg)")

    def sequences(self, kept: Document) -> dict[str, list[Track]]:
        assert kept.video is not None
        return {stem(kept.video): list(kept.tracks.values())}

    def place(self, root: Path, name: str, tracks: Sequence[Track]) -> Spot:
        folder = root / name
        names = {0: "groundtruth_rect.txt"}
        if len(tracks) > 1:
            names = {track.id: f"groundtruth_rect.{track.id}.txt" for track in tracks}
        return Spot(name, {key: folder / file for key, file in names.items()}, folder / "img", folder / NOTE)

    def find(self, path: Path) -> Iterator[Spot]:
        chosen = path if path.is_file() and _TRUTH.fullmatch(path.name) else None
        if path.is_file() and chosen is None:
            return
        for folder in folders(path.parent if chosen else path, 0 if chosen else 2):
            found = ((file, _TRUTH.fullmatch(file.name)) for file in folder.glob("groundtruth_rect*.txt"))
            truths = {int(name[1] or 0): file for file, name in found if name and file.stat().st_size}
            if chosen in truths.values():
                truths = {key: file for key, file in truths.items() if file == chosen}
            if len(truths) > 1:
                truths.pop(0, None)
            if truths:
                spot = Spot(folder.name, dict(sorted(truths.items())), folder / "img", folder / NOTE)
                yield replace(spot, start=self._start(spot))

    def _start(self, spot: Spot) -> int:
        start = STARTS.get(spot.name, 1) - 1
        truth = next(iter(spot.truths.values()))
        return start if start and len(pictures(spot.pictures)) > len(read_rows(truth)) else 0


OTB = OtbFormat()
