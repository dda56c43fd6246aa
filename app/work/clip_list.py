"""The list of a collection: opened from a manifest, made from folders, changed, and kept on the disk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import msgspec

from app.formats.collection import SUFFIX, load_collection, save_collection
from app.model.collection import Clip, Collection
from app.words import tr, trn
from app.work.clips import manifest_for
from app.work.errors import RelinkError, SessionError
from app.work.filing import Filing, Kept
from app.work.gathering import gather
from app.work.jobs import Job
from app.work.journal import Leftover
from app.work.latest import Latest

Read = tuple[Collection, Path, frozenset[str]]
"""A collection, its manifest, and the videos that are not there."""


class ClipList(Filing):
    """The part of the session that knows which clips there are."""

    collection: Collection | None
    collection_path: Path | None
    missing: frozenset[str]
    """Videos of the collection that are not where they were."""
    failed: dict[str, str]
    """Why clips could not be opened, or their labels not be read, by video."""
    wanted_clip: int | None
    """The clip that was asked for last; None when something else was."""
    _clip: str
    """The video of the open clip as the collection names it; empty when what is open is none of its clips."""
    _left: dict[str, Kept]
    """Clips that were left, by video, the last one last."""
    _seeking: list[int]
    """Clips to try next when the first one of a collection cannot be opened."""

    def _begin_list(self) -> None:
        self.collection, self.collection_path = None, None
        self.missing, self.failed = frozenset(), {}
        self.wanted_clip = None
        self._clip, self._left = "", {}
        self._seeking = []

    @abstractmethod
    def go_to_clip(self, number: int) -> Job[Any] | None:
        """Open a clip of the collection."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of the clips that were left."""

    @property
    @abstractmethod
    def unsaved_clips(self) -> frozenset[str]:
        """Videos of the clips that were left with unsaved work."""

    # Opening and making

    def open(
        self, path: Path | str | None = None, *, video: Path | None = None, accept: bool = False, fresh: bool = False
    ) -> Job[Any]:
        """As `Filing.open`; a manifest opens its collection."""
        if path is not None and Path(path).suffix.lower() == SUFFIX:
            return self.open_collection(Path(path))
        self.wanted_clip = None
        return super().open(path, video=video, accept=accept, fresh=fresh)

    def recover(self, leftover: Leftover, *, video: Path | None = None, accept: bool = False) -> Job[Any]:
        """As `Filing.recover`; what comes back stands for itself."""
        self.wanted_clip = None
        return super().recover(leftover, video=video, accept=accept)

    def open_collection(self, path: Path) -> Job[Any]:
        """Read a manifest in the background, then go to the first clip that can be opened and is not done.

        ``events.clips`` tells that it is read; ``events.error`` (`CollectionError`) why it cannot be.
        """

        def make() -> Generator[float, None, tuple[Collection, Path]]:
            yield 0.0
            return load_collection(path), path

        return self._collect(path.name, make())

    def new_collection(self, path: Path, media: Iterable[Path]) -> Job[Any]:
        """Make a collection of what ``media`` hold (see `app.work.gathering`), with its manifest at ``path``.

        One that is there already is opened and gets the clips it lacks.
        """
        chosen = list(media)
        if not chosen:
            raise SessionError(tr("A collection needs at least one video; choose some"))
        path = path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX)
        return self._collect(path.name, _made(chosen, lambda: path))

    def open_folder(self, folder: Path) -> Job[Any]:
        """Make a collection of all that a folder holds: videos, folders of images, sequences of a data set.

        The labels of a data set come in when a clip is first opened. The manifest lies in the folder, or among the
        user's documents where that cannot be written; one that is there already gets the clips it lacks.
        """
        folder = Path(folder).absolute()
        return self._collect(folder.name, _made([folder], lambda: manifest_for(folder)))

    def _collect(self, name: str, make: Generator[float, None, tuple[Collection, Path]]) -> Job[Any]:
        self._not_opening()
        title = self._opening = tr("Looking through {name}…").format(name=name)
        self.events.mode(self.mode)

        def work() -> Generator[float, None, Read]:
            made, path = yield from make
            return made, path, frozenset(clip.video for clip in made.clips if not Path(clip.video).exists())

        def show() -> None:
            if (share := newest.take()) is not None and not job.ended:
                self.events.progress(title, share)

        def end(error: Exception | None, cancelled: bool) -> None:
            self._opening = ""
            self._long.pop(title, None)
            self.events.progress(title, None)
            self.events.mode(self.mode)
            if error is not None:
                self.events.error(error)
            elif job.value is not None and not self._closed:
                self._enter(*job.value)

        newest: Latest[float] = Latest(lambda: self._post(show))
        self.events.progress(title, 0.0)
        job: Job[Read] = self.jobs.run("open", work(), newest.put, end)
        self._long[title] = job
        return job

    def _enter(self, collection: Collection, path: Path, missing: frozenset[str]) -> None:
        """Go on with another collection, at its first clip that can be opened."""
        self._release()
        self._clip = ""
        self.collection, self.collection_path = collection, path.absolute()
        self.missing, self.failed = missing, {}
        self.events.clips()
        there = [n for n, clip in enumerate(collection.clips) if clip.video not in missing]
        self._seeking = sorted(there, key=lambda n: collection.clips[n].done)
        if self._seeking:
            self.go_to_clip(self._seeking.pop(0))
        else:
            self.events.message(tr("None of the clips is where it was; say where they are in the Clips panel"))

    def _open_failed(self, error: Exception) -> None:
        """A clip that cannot be opened says why in the list; a collection then begins with the next one."""
        if self.wanted_clip is None or self.collection is None or isinstance(error, RelinkError):
            self._seeking = []
            return
        self.failed[self.collection.clips[self.wanted_clip].video] = str(error)
        self.events.clips()
        if self._seeking:
            self.go_to_clip(self._seeking.pop(0))

    # Changing the list

    def add_clips(self, media: Iterable[Path]) -> Job[list[Clip]]:
        """Add what ``media`` hold at the end, in the background; those that are there already stay as they are."""
        self._collection()
        chosen = list(media)

        def added(found: list[Clip]) -> str:
            collection = self._collection()
            new = [clip for clip in found if collection.find(clip.video) is None]
            self._change(msgspec.structs.replace(collection, clips=(*collection.clips, *new)))
            return trn("{count} clip added", "{count} clips added", len(new)).format(count=len(new))

        title = tr("Looking for clips in {name}").format(name=chosen[0].name if chosen else "")
        return self._tell_progress("files", title, gather(chosen), added)

    def remove_clip(self, number: int) -> None:
        """Take a clip from the list; its video and its labels stay on the disk. Raises `SessionError`."""
        collection, clip = self._collection(), self._clip_at(number)
        if clip.video == self._clip:
            said = tr("{name} is open; go to another clip first (Ctrl+PgDown)")
            raise SessionError(said.format(name=clip.name))
        if clip.video in self.unsaved_clips:
            raise SessionError(tr("{name} has unsaved work; save first (Ctrl+S)").format(name=clip.name))
        kept = self._left.pop(clip.video, None)
        if kept is not None:
            kept.journal.discard()
        self._change(msgspec.structs.replace(collection, clips=tuple(c for c in collection.clips if c is not clip)))

    def set_clip_done(self, number: int, done: bool) -> None:
        """Say whether a clip is finished."""
        self._change(self._collection().with_clip(number, msgspec.structs.replace(self._clip_at(number), done=done)))

    def _change(self, collection: Collection) -> None:
        """Another list, on the disk soon."""
        path = self.collection_path
        self.collection = collection
        self.events.clips()

        def work() -> Generator[None, None, None]:
            yield
            if path is not None:
                save_collection(collection, path)

        self.jobs.run("files", work(), on_end=lambda error, _: self.events.error(error) if error is not None else None)

    def _collection(self) -> Collection:
        if self.collection is None:
            raise SessionError(tr("No collection of clips is open; File, Open a folder makes one"))
        return self.collection

    def _clip_at(self, number: int) -> Clip:
        clips = self._collection().clips
        if not 0 <= number < len(clips):
            said = tr("There is no clip {number}; the collection has {count}")
            raise SessionError(said.format(number=number + 1, count=len(clips)))
        return clips[number]


def _made(media: list[Path], place: Callable[[], Path]) -> Generator[float, None, tuple[Collection, Path]]:
    """A collection of what is found, written to its manifest; ``place`` is asked in the worker."""
    found = yield from gather(media)
    path = place()
    before = load_collection(path) if path.exists() else Collection()
    known = {clip.video for clip in before.clips}
    made = msgspec.structs.replace(before, clips=(*before.clips, *(clip for clip in found if clip.video not in known)))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_collection(made, path)
    return made, path
