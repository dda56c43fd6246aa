"""Our own table: one flat file of comma-separated values with a header, for spreadsheets and scripts; loses nothing.

A row is one of these, as its column ``what`` says:

- ``video``: path in ``text``; frames, width, height, fps and fingerprint as JSON in ``attributes``.
- ``label``: ``label``, ``colour``, and what is to be said about such objects as JSON in ``attributes``.
- ``track``: ``track`` (its number), ``label``, ``colour``, ``ignored``, values of the whole track in ``attributes``.
- ``observation``: one track on one frame. ``frame`` counts from 0; ``x,y,w,h`` in pixels, edges on pixel borders;
  ``mask`` is ``<width>x<height> <COCO's compressed run lengths>``; values of this frame as JSON in ``attributes``.
- ``comment``: ``id``, ``frame``, perhaps ``track``, ``text``; ``state`` is ``resolved`` or ``open``.

Text that a spreadsheet would take for a formula begins with an apostrophe, which is dropped on reading. The file is
UTF-8 with a byte order mark, which spreadsheets need.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from app.formats.base import KEPT, Aspect, Preflight
from app.formats.csv_read import COLUMNS, FORMULA, header_of, read
from app.formats.one_file import OneFile, first_bytes
from app.formats.selection import Choice, Extra, Selection, select
from app.model.document import Document
from app.model.tracks import Observation, Track
from app.words import mark, tr

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}


class CsvParams(Choice, frozen=True, kw_only=True):
    """Options of a table."""

    delimiter: Annotated[
        Literal["comma", "semicolon", "tab"],
        msgspec.Meta(title="Between columns", description="A semicolon suits spreadsheets with a decimal comma"),
    ] = "comma"
    masks: Annotated[bool, msgspec.Meta(title="Masks", description="Write masks as run lengths")] = True


class CsvFormat(OneFile):
    """See the module's text for the conventions, `CsvParams` for the options."""

    id = "csv"
    title = mark("Table (CSV)")
    suffix = ".csv"
    params = CsvParams
    holds: ClassVar[Mapping[Aspect, str]] = dict.fromkeys(Aspect, KEPT)

    def recognises(self, path: Path) -> bool:
        head = first_bytes(path).decode("utf-8-sig", "replace")
        return path.suffix.lower() in (".csv", ".tsv") and header_of(head.partition("\n")[0]) is not None

    def chosen(self, doc: Document, params: CsvParams) -> tuple[Selection, Preflight]:
        chosen = select(doc, params, tuple(Extra))
        dropped = 0
        if not params.masks:
            for track in chosen.document.tracks.values():
                for frame, obs in track.frames.items():
                    if obs.mask is not None:
                        dropped += 1
                        track.frames[frame] = msgspec.structs.replace(obs, mask=None)
        losses = [tr("Masks, not written because masks are switched off: {n}.").format(n=dropped)] if dropped else []
        return chosen, chosen.preflight(masks=params.masks, losses=losses)

    def rows(self, kept: Document, params: CsvParams, names: Sequence[str]) -> Iterator[bytes]:
        line = _Line()
        writer = csv.writer(line, delimiter=_DELIMITERS[params.delimiter])
        writer.writerow(COLUMNS)
        yield codecs.BOM_UTF8 + line.take()
        for row in _rows(kept):
            writer.writerow([row.get(name, "") for name in COLUMNS])
            yield line.take()

    def read(self, path: Path) -> Document:
        """The document in a table, ours or a simple one; see `app.formats.csv_read.read`."""
        return read(path)


CSV = CsvFormat()


class _Line:
    """Where the csv module writes one row."""

    def __init__(self) -> None:
        self._text = ""

    def write(self, text: str) -> int:
        self._text += text
        return len(text)

    def take(self) -> bytes:
        text, self._text = self._text, ""
        return text.encode("utf-8", "replace")


def _rows(kept: Document) -> Iterator[dict[str, Any]]:
    video = kept.video
    if video is not None:
        about = {name: getattr(video, name) for name in ("frames", "width", "height", "fps", "fingerprint")}
        yield {"what": "video", "text": _text(video.path), "attributes": _json(about)}
    for label in kept.labels:
        known = {"what": "label", "label": _text(label.name), "colour": label.colour}
        yield known | {"attributes": _json(label.attributes) if label.attributes else ""}
    for track in kept.tracks.values():
        told = {"ignored": _flag(track.ignored), "attributes": _json(track.attributes) if track.attributes else ""}
        yield {"what": "track"} | _about(track) | told
    for track in kept.tracks.values():
        about = {"what": "observation"} | _about(track)
        for frame, obs in track.frames.items():
            yield about | {"frame": frame} | _observation(obs)
    for comment in kept.comments.values():
        yield {
            "what": "comment",
            "id": comment.id,
            "frame": comment.frame,
            "track": "" if comment.track is None else comment.track,
            "state": "resolved" if comment.resolved else "open",
            "text": _text(comment.text),
        }


def _about(track: Track) -> dict[str, Any]:
    return {"track": track.id, "label": _text(track.label), "colour": track.colour}


def _observation(obs: Observation) -> dict[str, Any]:
    row: dict[str, Any] = {
        "state": obs.state.value,
        "source": obs.source.value,
        "verified": _flag(obs.verified),
        "keyframe": _flag(obs.keyframe),
        "score": "" if obs.score is None else repr(float(obs.score)),
        "cover": "" if obs.cover is None else obs.cover,
        "signals": _json(obs.signals) if obs.signals else "",
        "attributes": _json(obs.attributes) if obs.attributes else "",
    }
    if obs.box is not None:
        row |= {name: repr(float(value)) for name, value in zip("xywh", obs.box, strict=True)}
    if obs.mask is not None:
        row["mask"] = f"{obs.mask.width}x{obs.mask.height} {obs.mask.counts.decode('ascii')}"
    return row


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _text(text: str) -> str:
    return "'" + text if text.startswith(FORMULA) else text
