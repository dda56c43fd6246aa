"""Reading formats with a file for each frame: which frame a file is about, and what the note beside them says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.formats.base import MAX_FRAMES, FormatError
from app.formats.extras import OurVideo
from app.formats.json_io import decode
from app.formats.names import first_stem
from app.words import tr

NOTE = "siamlabel.json"
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
"""Endings of pictures that may lie beside the files."""


class Note(msgspec.Struct):
    """What lies beside an export. ``colours``: of the labels in order. ``frames``, ``files``: side by side."""

    video: OurVideo
    colours: list[str]
    frames: list[int]
    files: list[str]


def read_note(root: Path) -> Note | None:
    """The note in a folder; None without one. Raises `FormatError`."""
    path = root / NOTE
    if not path.is_file():
        return None
    note = decode(path, Note, tr("a note of SiamLabel"))
    remedy = tr("Correct the note, or remove it: the folder can be read without.")
    try:
        video = note.video.checked()
    except ValueError as error:
        raise FormatError(str(error), path, "video", remedy) from None
    if len(note.frames) != len(note.files) or len(set(note.frames)) != len(note.frames):
        raise FormatError(tr("its frames and files do not match one to one"), path, "frames", remedy)
    if not all(0 <= frame < video.frames for frame in note.frames):
        raise FormatError(
            tr("it names frames beyond the {frames} of the clip").format(frames=video.frames), path, "frames", remedy
        )
    return note


def numbered(root: Path, files: Sequence[Path], pictures: Sequence[Path], note: Note | None) -> dict[int, Path]:
    """The file of each frame, ascending.

    As the note says; else by its place among the pictures, where all files have one; else by the number at the end of
    its name, where all have one; else by its place among the files. Raises `FormatError`, also when the names are those
    of several clips.
    """
    if note is not None:
        known = {name: frame for frame, name in zip(note.frames, note.files, strict=True)}
        strange = next((file for file in files if file.stem not in known), None)
        if strange is not None:
            raise FormatError(
                tr("the note does not know the file {strange}").format(strange=strange.name),
                root / NOTE,
                "files",
                tr("Remove either."),
            )
        return dict(sorted((known[file.stem], file) for file in files))
    ends = [re.fullmatch(r"(.*?)(\d{1,9})", first_stem(file.name), re.ASCII) for file in files]
    clips = sorted({end[1] for end in ends if end is not None})
    if None not in ends and len(clips) > 1:
        shown = ", ".join(repr(clip) for clip in clips[:10]) + (" ..." if len(clips) > 10 else "")
        raise FormatError(
            tr("the files are of {count} clips, by the beginnings of their names: {shown}").format(
                count=len(clips), shown=shown
            ),
            root,
            remedy=tr("Choose a folder with the files of one clip."),
        )
    places = {name: place for place, name in enumerate(sorted({picture.stem for picture in pictures}, key=_called))}
    if files and all(file.stem in places for file in files):
        out = {places[file.stem]: file for file in files}
    elif None not in ends:
        out = {int(end[2]): file for end, file in zip(ends, files, strict=True) if end is not None}
    else:
        out = dict(enumerate(sorted(files, key=lambda file: _called(file.stem))))
    if len(out) != len(files):
        raise FormatError(tr("two files are about the same frame"), root, remedy=tr("Choose a folder with one clip."))
    if any(frame >= MAX_FRAMES for frame in out):
        raise FormatError(
            tr("a file is about frame {out}, which is too many").format(out=max(out)),
            root,
            remedy=tr("Number the files anew."),
        )
    return dict(sorted(out.items()))


def pictures_in(root: Path) -> list[Path]:
    """All pictures in a folder and those below it."""
    return [path for path in sorted(root.rglob("*")) if path.suffix.lower() in PICTURES]


def _called(stem: str) -> tuple[list[tuple[int, str]], str]:
    """Sorts by the first name of a picture; several of the same are told apart by the name they have."""
    return _natural(first_stem(f"{stem}.jpg")), stem


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts numbers inside names by their value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,15})", name) if part]
