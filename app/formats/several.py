"""Files about several clips, as data sets are published: ``FILE/CLIP`` is the path of one clip in such a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.formats.base import FormatError
from app.formats.names import short, stem
from app.model.document import VideoRef
from app.words import tr

_SHOWN = 10
_LONG = 60  # characters of a name that an error shows


class SeveralClipsError(FormatError):
    """A file holds several clips, and none was chosen.

    ``clips``: by name, the path to read each one of ``file`` by.
    """

    def __init__(self, path: Path, names: Sequence[str], where: str) -> None:
        remedy = tr("Choose one as {path}/{short}; the others are {listed}.").format(
            path=path.name, short=short(names[0], _LONG), listed=_listed(names, 1)
        )
        super().__init__(tr("the file holds {count} clips").format(count=len(names)), path, where, remedy)
        self.file = path
        self.clips = {name: path / name for name in names}

    def about(self, video: VideoRef) -> Path | None:
        """The path of the only clip that is called like ``video``, if there is one."""
        mine = stem(video).lower()
        found = [
            path for name, path in self.clips.items() if stem(msgspec.structs.replace(video, path=name)).lower() == mine
        ]
        return found[0] if len(found) == 1 else None


def member_of(path: Path) -> tuple[Path, str]:
    """The file and the clip that ``FILE/CLIP`` names; the path as it is and an empty name where there is no such file.

    The name of a clip may hold slashes.
    """
    for parent in path.parents:
        if parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return path, ""


def the_one(path: Path, wanted: str, names: Sequence[str], where: str) -> int:
    """The place among ``names`` of the clip that is ``wanted``, or of the only one when that is empty.

    Names that are there twice get numbers. Raises `FormatError` for none and for an unknown name, `SeveralClipsError`
    when there are several to choose from.
    """
    if not names:
        raise FormatError(tr("the file holds no clip"), path, where, tr("Export the file again."))
    if len(names) == 1 and not wanted:
        return 0
    told = _told(names)
    if not wanted:
        raise SeveralClipsError(path, told, where)
    if wanted in told:
        return told.index(wanted)
    raise FormatError(
        tr("there is no clip '{wanted}'").format(wanted=wanted),
        path,
        where,
        tr("Known are: {listed}.").format(listed=_listed(told)),
    )


def _listed(names: Sequence[str], start: int = 0) -> str:
    """Some of ``names`` from ``start`` on, as people can read them."""
    shown = ", ".join(short(name, _LONG) for name in names[start:_SHOWN])
    return shown + (tr(" and {count} more").format(count=len(names) - _SHOWN) if len(names) > _SHOWN else "")


def _told(names: Sequence[str]) -> list[str]:
    """Names as parts of a path, each once."""
    seen: Counter[str] = Counter()
    out = []
    for name in names:
        name = "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")) or "clip"
        seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out
