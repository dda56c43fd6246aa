"""The project file: one JSON document, ``NAME.siamlabel``, that is either wholly the old one or wholly the new one.

Its keys: ``format`` and ``schema`` say what it is; ``video`` names the video relative to the project and, as a
fallback, absolutely; ``labels``, ``tracks``, ``comments``, ``settings`` and ``next_id`` are those of
`app.model.document.Document`. A file with keys that this schema does not know is refused: saving it again would lose
them.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import msgspec

from app.formats.atomic import sibling, sync_folder, write_bytes
from app.formats.names import short
from app.model.document import Comment, Count, Document, Label, SettingValue, VideoRef
from app.model.masks import broken
from app.model.tracks import Observation, Track
from app.words import tr

log = logging.getLogger(__name__)

SUFFIX = ".siamlabel"
FORMAT = "siamlabel"
SCHEMA = 3
"""Goes up with every change of the file that an older SiamLabel would not understand."""


class ProjectError(Exception):
    """A project cannot be saved or loaded; the message names the file, what is wrong where, and what to do."""


class _Video(msgspec.Struct, forbid_unknown_fields=True):
    path: str  # as seen from the project's folder, with forward slashes
    absolute: str
    fingerprint: str
    frames: Count
    width: Count
    height: Count
    fps: Annotated[float, msgspec.Meta(ge=0)]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    schema: int
    video: _Video | None
    labels: list[Label]
    tracks: list[Track]
    next_id: int
    comments: list[Comment] = []  # since schema 2
    settings: dict[str, SettingValue] = {}  # since schema 3


class _Head(msgspec.Struct):
    """What every schema shares; the rest is only checked to be well-formed JSON."""

    format: str | None = None
    schema: int | None = None


class _RawFile(msgspec.Struct):
    tracks: list[dict[str, msgspec.Raw]] = []


_HEAD = msgspec.json.Decoder(_Head)
_FILE = msgspec.json.Decoder(_File)


BACKUPS = 5
"""How many earlier versions of a project are kept beside it."""

BACKUP_GAP = 300.0
"""Seconds between two older versions that are kept: someone who saves every minute does not push all of them out."""


def backup_of(path: Path, age: int = 1) -> Path:
    """Where an earlier good version of a project is kept: ``age`` 1 is the one before, `BACKUPS` the oldest."""
    return path.with_name(f"{path.name}.bak{'' if age == 1 else age}")


def save_project(doc: Document, path: Path) -> None:
    """Save ``doc`` at ``path``; what was there before, if it was good, is kept beside it as ``.bak``, and some versions
    before that as ``.bak2`` and so on.

    Returns when the disk has it. Raises `ProjectError`; ``path`` holds what it held before then.
    """
    write_project(encode_project(doc, path), path)


def encode_project(doc: Document, path: Path) -> bytes:
    """The content of a project file at ``path``: the part of saving that reads the document. Raises `ProjectError`."""
    video = None
    if doc.video is not None:
        absolute = os.path.abspath(doc.video.path)  # noqa: PTH100  Path.resolve would follow links
        video = _Video(
            _relative(absolute, path.absolute().parent),
            absolute,
            doc.video.fingerprint,
            doc.video.frames,
            doc.video.width,
            doc.video.height,
            doc.video.fps,
        )
    tracks = [
        msgspec.structs.replace(track, frames=dict(sorted(track.frames.items())))
        for _, track in sorted(doc.tracks.items())
    ]
    comments = [comment for _, comment in sorted(doc.comments.items())]
    try:
        file = _File(FORMAT, SCHEMA, video, doc.labels, tracks, doc.next_id, comments, doc.settings)
        return msgspec.json.encode(file) + b"\n"
    except UnicodeEncodeError as error:
        raise ProjectError(
            tr("{path} cannot be saved: the name {object!r} is not proper text. Rename that file or label.").format(
                path=path, object=error.object
            )
        ) from error


def write_project(data: bytes, path: Path) -> None:
    """Put what `encode_project` made on the disk: the part of saving that may take time. Raises `ProjectError`."""
    path = path.resolve()  # a link stays a link
    part = sibling(path)
    try:
        try:
            write_bytes(part, data)
            if path.exists() and _well_formed(path.read_bytes()):
                _keep(path)
            os.replace(part, path)  # noqa: PTH105  the tests make this very call fail
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ProjectError(
            tr(
                "{path} could not be saved: {error}. What was there before is untouched. Make room, check "
                "that the folder may be written to, or save under another name."
            ).format(path=path, error=error.strerror or error)
        ) from error
    sync_folder(path.parent)


def load_project(path: Path) -> Document:
    """Read a project. The video's path in the result is absolute; the video need not exist.

    Raises `ProjectError` when the file is missing, damaged, made by a newer SiamLabel, or contradicts itself.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProjectError(
            tr("{path} cannot be read: {error}. Check the name and the disk.").format(
                path=path, error=error.strerror or error
            )
        ) from error
    _check_head(data, path)
    try:
        file = _FILE.decode(data)
    except msgspec.ValidationError as error:
        raise _wrong(path, _locate(data) or str(error).replace("`$.", "`")) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, str(error)) from error
    _check(file, path)
    tracks = {track.id: track for track in file.tracks}
    comments = {comment.id: comment for comment in file.comments}
    next_id = max(file.next_id, max((*tracks, *comments), default=0) + 1)
    return Document(_video(file.video, path.absolute().parent), file.labels, tracks, next_id, comments, file.settings)


def _relative(absolute: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(absolute, folder)).as_posix()
    except ValueError:  # Windows: another drive
        return Path(absolute).as_posix()


def _video(video: _Video | None, folder: Path) -> VideoRef | None:
    """The reference with the place where the video is: as seen from the project, else where it was at the last save."""
    if video is None:
        return None
    beside = os.path.normpath(folder / video.path)
    path = video.absolute if not os.path.exists(beside) and os.path.exists(video.absolute) else beside  # noqa: PTH110
    return VideoRef(path, video.fingerprint, video.frames, video.width, video.height, video.fps)


def _keep(path: Path) -> None:
    backup = backup_of(path)
    _age(path)
    part = sibling(backup)
    try:
        try:
            os.link(path, part)  # costs nothing, and ``path`` exists at every moment
        except OSError:
            shutil.copyfile(path, part)  # a disk without hard links
        part.replace(backup)
    finally:
        part.unlink(missing_ok=True)  # renaming onto another link of the same file does nothing


def _age(path: Path) -> None:
    """Move the kept versions one place on, the oldest out, up to the first gap; ``.bak`` itself stays until it is
    replaced. Nothing moves while ``.bak2`` is young. No room for it is no reason not to save.
    """
    first, second = backup_of(path), backup_of(path, 2)
    try:
        if not first.exists() or (second.exists() and first.stat().st_mtime - second.stat().st_mtime < BACKUP_GAP):
            return
        free = next((age for age in range(2, BACKUPS) if not backup_of(path, age).exists()), BACKUPS)
        for age in range(free, 2, -1):
            backup_of(path, age - 1).replace(backup_of(path, age))
        part = sibling(second)
        try:
            try:
                os.link(first, part)
            except OSError:
                shutil.copy2(first, part)  # with its time
            part.replace(second)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        log.info("an older version of %s could not be kept: %s", path, error)


def _well_formed(data: bytes) -> bool:
    try:
        return _HEAD.decode(data).format == FORMAT
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _check_head(data: bytes, path: Path) -> None:
    try:
        head = _HEAD.decode(data)
    except (msgspec.ValidationError, RecursionError):
        head = _Head()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, tr("the file is damaged or cut off ({error})").format(error=error)) from error
    if head.format != FORMAT or head.schema is None or head.schema < 1:
        raise ProjectError(
            tr("{path} is not a SiamLabel project. Choose a {SUFFIX} file, or open a video instead.").format(
                path=path, SUFFIX=SUFFIX
            )
        )
    if head.schema > SCHEMA:
        raise ProjectError(
            tr(
                "{path} was saved by a newer SiamLabel (schema {schema}; this one knows up to {SCHEMA}). "
                "Update SiamLabel to open it."
            ).format(path=path, schema=head.schema, SCHEMA=SCHEMA)
        )


def _check(file: _File, path: Path) -> None:
    """What types alone cannot say."""
    ids = Counter(one.id for one in (*file.tracks, *file.comments))
    for id_, times in ids.items():
        if times > 1:
            said = tr("the id {id} is used by {times} tracks or comments (keys tracks, comments)")
            raise _wrong(path, said.format(id=id_, times=times))
    names = Counter(label.name for label in file.labels)
    for name, times in names.items():
        if times > 1:
            said = tr("the label {name!r} is there {times} times (key labels)")
            raise _wrong(path, said.format(name=name, times=times))
    masked = [
        (t.id, frame, seen.mask) for t in file.tracks for frame, seen in t.frames.items() if seen.mask is not None
    ]
    if file.video is not None:
        width, height = file.video.width, file.video.height
        for id_, frame, mask in masked:
            if (mask.width, mask.height) != (width, height):
                what = tr("the mask is {width} x {height} pixels but the video is {width2} x {height2}").format(
                    width=mask.width, height=mask.height, width2=width, height2=height
                )
                raise _wrong(path, f"{what} {_key(file.tracks, id_, frame)}")
    bad = broken([mask for _, _, mask in masked])
    if bad.any():
        id_, frame, mask = masked[int(bad.argmax())]
        what = tr("the mask's run lengths do not fill {width} x {height} pixels").format(
            width=mask.width, height=mask.height
        )
        raise _wrong(path, f"{what} {_key(file.tracks, id_, frame)}")


def _key(tracks: list[Track], id_: int, frame: int) -> str:
    at = next(i for i, track in enumerate(tracks) if track.id == id_)
    return f"(key tracks[{at}].frames.{frame}.mask; track {id_}, frame {frame})"


def _locate(data: bytes) -> str:
    """Which frame of which track does not decode: the decoder itself says no more than "somewhere in frames"."""
    try:
        raw: Any = msgspec.json.decode(data, type=_RawFile)
        for at, track in enumerate(raw.tracks):
            for frame, seen in msgspec.json.decode(track.get("frames", b"{}"), type=dict[str, msgspec.Raw]).items():
                try:
                    msgspec.json.decode(seen, type=Observation)
                except msgspec.ValidationError as error:
                    return str(error).replace("`$", f"`tracks[{at}].frames.{frame}") + (
                        "" if "`$" in str(error) else f" - at `tracks[{at}].frames.{frame}`"
                    )
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return ""


def _wrong(path: Path, what: str) -> ProjectError:
    backup = backup_of(path)
    if backup.exists():
        remedy = tr("The version before it is kept as {name}: rename that file to open it.").format(name=backup.name)
    else:
        remedy = tr("Restore the file from a backup.")
    return ProjectError(
        tr("{path} cannot be opened: {what}. {remedy}").format(path=path, what=short(what).rstrip("."), remedy=remedy)
    )
