"""The manifest of a collection: one small JSON document, ``NAME.siamclips``, that names clips and their projects.

Paths are relative to the manifest with forward slashes, and absolute as a fallback, so that a folder may be moved with
everything in it. The labels' own schema is that of the project file. A file with keys that this schema does not know is
refused: saving it again would lose them.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from app.formats.atomic import replace_file
from app.formats.names import short
from app.model.collection import Clip, Collection
from app.model.document import Count, Label, SettingValue
from app.words import tr

SUFFIX = ".siamclips"
FORMAT = "siamclips"
SCHEMA = 2
MAX_BYTES = 64 << 20
"""Largest manifest that is read; some 100 000 clips."""


class CollectionError(Exception):
    """A manifest cannot be saved or loaded; the message names the file, what is wrong where, and what to do."""


class _Place(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    absolute: str


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    video: _Place
    project: _Place | None = None
    fingerprint: str = ""
    frames: Count = 0
    objects: Count = 0
    boxes: Count = 0
    labelled: Count = 0
    verified: Count = 0
    suspicious: Count = 0
    done: bool = False
    vouched: Count = 0  # this and what follows since schema 2
    truths: list[_Place] = []
    format: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    schema: int
    clips: list[_Entry]
    labels: list[Label] = []
    settings: dict[str, SettingValue] = {}  # since schema 2


class _Head(msgspec.Struct):
    format: str | None = None
    schema: int | None = None


_NUMBERS = (
    "fingerprint",
    "frames",
    "objects",
    "boxes",
    "labelled",
    "verified",
    "suspicious",
    "done",
    "vouched",
    "format",
)


def save_collection(collection: Collection, path: Path) -> None:
    """Put a manifest at ``path``, whole or not at all. Raises `CollectionError`."""
    folder = path.absolute().parent
    entries = [
        _Entry(
            _place(clip.video, folder),
            _place(clip.project, folder) if clip.project else None,
            truths=[_place(truth, folder) for truth in clip.truths],
            **{name: getattr(clip, name) for name in _NUMBERS},
        )
        for clip in collection.clips
    ]
    try:
        data = msgspec.json.encode(_File(FORMAT, SCHEMA, entries, list(collection.labels), collection.settings))
        replace_file(path.resolve(), msgspec.json.format(data, indent=1) + b"\n")
    except UnicodeEncodeError as error:
        raise CollectionError(
            tr("{path} cannot be saved: the name {object!r} is not proper text. Rename that file or label.").format(
                path=path, object=error.object
            )
        ) from error
    except OSError as error:
        raise CollectionError(
            tr(
                "{path} could not be saved: {error}. What was there before is untouched. Make room, or check "
                "that the folder may be written to."
            ).format(path=path, error=error.strerror or error)
        ) from error


def load_collection(path: Path) -> Collection:
    """Read a manifest; paths in the result are absolute, and what they name need not exist.

    Raises `CollectionError` when the file is missing, damaged, made by a newer SiamLabel, or contradicts itself.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CollectionError(
                tr("{path} is larger than {MAX_BYTES} MB. Check that it is a collection.").format(
                    path=path, MAX_BYTES=MAX_BYTES >> 20
                )
            )
        data = path.read_bytes()
    except OSError as error:
        raise CollectionError(
            tr("{path} cannot be read: {error}. Check the name and the disk.").format(
                path=path, error=error.strerror or error
            )
        ) from error
    try:
        head = msgspec.json.decode(data, type=_Head)
        if head.format != FORMAT or head.schema is None or head.schema < 1:
            raise CollectionError(
                tr("{path} is not a collection of clips. Choose a {SUFFIX} file.").format(path=path, SUFFIX=SUFFIX)
            )
        if head.schema > SCHEMA:
            raise CollectionError(
                tr("{path} was saved by a newer SiamLabel (schema {schema}). Update SiamLabel.").format(
                    path=path, schema=head.schema
                )
            )
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CollectionError(
            tr("{path} is damaged: {why}. Make the collection anew; its clips keep their labels.").format(
                path=path, why=short(str(error))
            )
        ) from error
    folder = path.absolute().parent
    clips = tuple(
        Clip(
            _found(entry.video, folder, path),
            _found(entry.project, folder, path) if entry.project else "",
            truths=tuple(_found(truth, folder, path) for truth in entry.truths),
            **{name: getattr(entry, name) for name in _NUMBERS},
        )
        for entry in file.clips
    )
    for what, names in (
        (tr("the clip {name!r} is there twice"), [c.video for c in clips]),
        (tr("the label {name!r} is there twice"), [one.name for one in file.labels]),
    ):
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            said = tr("{path} is damaged: {what}. Remove one of them.")
            raise CollectionError(said.format(path=path, what=what.format(name=short(twice))))
    return Collection(clips, tuple(file.labels), file.settings)


def _place(path: str, folder: Path) -> _Place:
    try:
        return _Place(Path(os.path.relpath(path, folder)).as_posix(), path)
    except ValueError:  # Windows: another drive
        return _Place(Path(path).as_posix(), path)


def _found(place: _Place, folder: Path, manifest: Path) -> str:
    """Where it is as seen from the manifest, else where it was at the last save."""
    if "\0" in place.path + place.absolute or not place.path:
        raise CollectionError(
            tr("{manifest} is damaged: {path!r} is no path. Make the collection anew.").format(
                manifest=manifest, path=place.path
            )
        )
    beside = os.path.normpath(folder / place.path)
    try:
        return place.absolute if not os.path.exists(beside) and os.path.exists(place.absolute) else beside  # noqa: PTH110
    except OSError:
        return beside
