"""What paths offer to label: videos, folders of images, and the sequences of known data sets with their labels.

Only names are looked at, and for some data sets a few bytes; so a clip may turn out to be broken when it is opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.formats.base import scaled
from app.formats.roots import Sequence, sequences
from app.media.images import is_image, natural_key
from app.model.collection import Clip
from app.words import tr
from app.work.errors import SessionError

VIDEOS = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv")
DEEP = 4
"""Levels of folders that are looked through below the chosen one."""
MOST = 20_000
"""Folders that are looked through; more are no data set but a disk."""
_ASIDE = frozenset({"annotations", "annos", "anno", "det", "gt", "instances", "labels", "masks"})
"""Folders whose pictures are labels."""


def gather(paths: Iterable[Path]) -> Generator[float, None, list[Clip]]:
    """The clips at ``paths``, in their order: a video, a folder of images, or all that a folder of such things holds.

    Yields progress in 0..1 and may be closed between. A folder with videos right inside it brings those and the
    labelled sequences below it; one without brings all that lies below it. Raises `SessionError` for a path that cannot
    be read and when there is nothing at all.
    """
    chosen = [Path(path).absolute() for path in paths]
    clips: dict[str, Clip] = {}
    for number, path in enumerate(chosen):
        yield number / len(chosen)
        if path.is_dir():
            search = _Search()
            yield from scaled(search.root(path), number / len(chosen), (number + 1) / len(chosen))
            for clip in search.clips():
                bare = not clip.truths and clip.video == str(path)
                clips.setdefault(clip.video, (labelled(path) if bare else None) or clip)
        elif path.exists():
            clips.setdefault(str(path), Clip(str(path)))
        else:
            raise SessionError(tr("{path} does not exist; check the path").format(path=path))
    if not clips:
        name = ", ".join(path.name for path in chosen)
        said = tr("{name} holds no videos, no pictures and no sequences of a data set; choose another folder")
        raise SessionError(said.format(name=name))
    return list(clips.values())


def holds_images(folder: Path) -> bool:
    """Whether images lie right inside a folder; stops at the first."""
    try:
        with os.scandir(folder) as entries:
            return any(is_image(Path(entry.name)) and not entry.name.startswith(".") for entry in entries)
    except OSError:
        return False


def labelled(pictures: Path) -> Clip | None:
    """The clip of a folder of images with the labels that its data set has for it, beside it or where the folders of
    such sets have them; None where there are none. Never raises."""
    pictures = Path(pictures).absolute()
    parts: list[Sequence] = []
    for folder in _label_folders(pictures):
        try:
            with os.scandir(folder) as entries:
                inside = [(entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith(".")]
        except OSError:
            continue
        files = [name for name, is_dir in inside if not is_dir]
        if folder.name in ("anno", "UAV123"):  # a file for each of the clips, of which there are thousands
            files = [name for name in files if re.fullmatch(re.escape(pictures.name) + r"(_\d+)?\.txt", name)]
        found = sequences(folder, sorted(files, key=natural_key), [name for name, is_dir in inside if is_dir])
        parts += [one for one in found if _media(one) == pictures]
        if parts:
            break
    if not parts:
        return None
    truths = tuple(str(one.labels) for one in parts if one.format == parts[0].format)
    return Clip(str(pictures), truths=truths, format=parts[0].format)


def _label_folders(pictures: Path) -> Iterator[Path]:
    """Where the labels of a folder of images may lie in the data sets that are known."""
    name, above = pictures.name, pictures.parents
    yield pictures
    yield from above[:1]
    for root in above[1:3]:
        branch = pictures.relative_to(root).parts
        if branch[0] == "JPEGImages":
            yield root.joinpath("Annotations", *branch[1:])
        elif branch[0] == "frames":
            yield root / "anno"
        elif branch[0] in ("images", "image_02", "training"):
            yield root / "instances" / name
    if len(above) > 2 and above[0].name == "UAV123":
        yield above[2] / "anno" / "UAV123"


@dataclass
class _Search:
    """One walk through a folder; what it found, in the order of the names."""

    found: list[Path | Sequence] = field(default_factory=list)
    videos: list[Path] = field(default_factory=list)
    """Right inside the chosen folder."""
    seen: int = 0

    def root(self, folder: Path) -> Generator[float, None, None]:
        try:
            os.listdir(folder)  # noqa: PTH208  only whether it can be
        except OSError as error:
            said = tr("{folder} cannot be read: {why}; choose another folder")
            raise SessionError(said.format(folder=folder, why=error.strerror or error)) from error
        yield from self._walk(folder, DEEP, True)

    def clips(self) -> list[Clip]:
        """What was found as clips. Sequences that share their pictures are one clip with the labels of all of them."""
        labelled: dict[str, list[Sequence]] = {}
        for one in self.found:
            if isinstance(one, Sequence):
                labelled.setdefault(str(_media(one)), []).append(one)
        direct = set(self.videos)
        out: dict[str, Clip] = {}
        for one in self.found:
            video = str(_media(one) if isinstance(one, Sequence) else one)
            parts = labelled.get(video)
            if parts:
                truths = tuple(str(part.labels) for part in parts if part.format == parts[0].format)
                out.setdefault(video, Clip(video, truths=truths, format=parts[0].format))
            elif not direct or one in direct:
                out.setdefault(video, Clip(video))
        return list(out.values())

    def _walk(self, folder: Path, deep: int, bare: bool) -> Generator[float, None, None]:
        """``bare``: also take what has no labels. Unreadable folders are passed by."""
        self.seen += 1
        if self.seen > MOST:
            return
        yield 0.0
        try:
            with os.scandir(folder) as entries:
                inside = [(entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith(".")]
        except OSError:
            return
        files = sorted((name for name, is_dir in inside if not is_dir), key=natural_key)
        folders = sorted((name for name, is_dir in inside if is_dir), key=natural_key)
        sequence = None
        for sequence in sequences(folder, files, folders):
            self.found.append(sequence)
            yield 0.0
        if sequence is not None and sequence.folder is not None:
            return  # what lies in the folder of a sequence belongs to it
        bare = bare and (deep == DEEP or folder.name.lower() not in _ASIDE)
        if bare:
            videos = [folder / name for name in files if Path(name).suffix.lower() in VIDEOS]
            self.found += videos
            if deep == DEEP:
                self.videos = videos
            if not videos and any(is_image(Path(name)) for name in files):
                self.found.append(folder)
                return
        for number, name in enumerate(folders if deep else ()):
            share = (number / len(folders), (number + 1) / len(folders))
            yield from scaled(self._walk(folder / name, deep - 1, bare), *share)


def _media(sequence: Sequence) -> Path:
    """Where the frames of a sequence are: where its data set has them, else beside its labels."""
    if sequence.folder is None or holds_images(sequence.pictures):
        return sequence.pictures
    folder = sequence.folder
    try:
        videos = sorted(one for one in folder.iterdir() if one.suffix.lower() in VIDEOS)
    except OSError:
        videos = []
    if videos:
        return next((one for one in videos if one.stem in (folder.name, "video")), videos[0])
    return folder if holds_images(folder) else sequence.pictures
