"""What formats of a single text file share: everything of the `Format` protocol but writing and reading themselves."""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from app.formats.atomic import fsync_open
from app.formats.base import MAX_BYTES, Aspect, FormatError, Picture, Preflight
from app.formats.compare import differences
from app.formats.selection import Selection
from app.model.document import Document
from app.words import tr

STEP = 500
"""Entries between two reports of progress."""
BROKEN_ARCHIVE = (OSError, ValueError, RuntimeError, NotImplementedError, KeyError, zipfile.BadZipFile, EOFError)
"""What reading a damaged, encrypted or cut archive raises."""


class OneFile(ABC):
    """A format of one file with ``suffix``."""

    id: ClassVar[str]
    title: ClassVar[str]
    suffix: ClassVar[str]
    folder: ClassVar[bool] = False
    params: type[msgspec.Struct]
    holds: ClassVar[Mapping[Aspect, str]]

    @abstractmethod
    def chosen(self, doc: Document, params: Any) -> tuple[Selection, Preflight]:
        """What is kept of ``doc`` and the preflight that says so."""

    @abstractmethod
    def rows(self, kept: Document, params: Any, names: Sequence[str]) -> Iterator[bytes]:
        """The file in pieces, about one for each observation."""

    @abstractmethod
    def read(self, path: Path) -> Document:
        """See `Format.read`."""

    @abstractmethod
    def recognises(self, path: Path) -> bool:
        """See `Format.recognises`."""

    def plan(self, doc: Document, params: Any) -> Preflight:
        return self.chosen(doc, params)[1]

    def keep(self, doc: Document, params: Any) -> Document:
        return self.chosen(doc, params)[0].document

    def wants_pictures(self, params: Any) -> bool:
        return False

    def may_replace(self, out: Path) -> str:
        """Only a file of the same ending makes way: a slip of the hand must not cost a project or a video."""
        return (
            ""
            if out.suffix.lower() == self.suffix
            else tr("the file exists and is no {suffix} file").format(suffix=self.suffix)
        )

    def write(
        self, kept: Document, part: Path, params: Any, names: Sequence[str], pictures: Iterator[Picture] | None
    ) -> Generator[float, None, list[str]]:
        """See `Format.write`."""
        total = sum(len(track.frames) for track in kept.tracks.values()) or 1
        with fsync_open(part) as file:
            for done, piece in enumerate(self.rows(kept, params, names)):
                file.write(piece)
                if done % STEP == STEP - 1:
                    yield min(done / total, 1.0)
        return []

    def proof(self, part: Path, kept: Document, params: Any) -> Generator[float, None, list[str]]:
        """See `Format.proof`."""
        found = self.read(part)
        yield 0.6
        return differences(kept, found)


def first_bytes(path: Path, size: int = 4096) -> bytes:
    """The beginning of a file; nothing when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def check_size(size: int, path: Path) -> None:
    """Raises `FormatError` where more than `MAX_BYTES` would be read."""
    if size > MAX_BYTES:
        raise FormatError(
            tr("the file has {size} MB").format(size=size >> 20),
            path,
            remedy=tr("At most {MAX_BYTES} MB are read.").format(MAX_BYTES=MAX_BYTES >> 20),
        )
