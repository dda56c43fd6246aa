"""Many clips as one piece of work: going from one to the next without losing undo or unsaved work on the way."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import msgspec

from app.formats.collection import SUFFIX, load_collection, save_collection
from app.formats.project import save_project
from app.model.collection import Clip, Collection
from app.model.document import Document
from app.words import tr
from app.work import opening, schema
from app.work.clips import Saving, counts, videos_in, with_counts
from app.work.errors import RelinkError, SessionError
from app.work.filing import AlsoSaved, Filing, Kept
from app.work.jobs import Job
from app.work.journal import Leftover

KEPT = 8
"""Clips without unsaved work whose undo is remembered after they were left; those with unsaved work all are."""


class Collecting(Filing):
    """The part of the session that knows the other clips."""

    collection: Collection | None
    collection_path: Path | None
    missing: frozenset[str]
    """Videos of the collection that are not where they were."""
    wanted_clip: int | None
    """The clip that was asked for last; None when something else was."""
    _clip: str
    """The video of the open clip as the collection names it; empty when what is open is none of its clips."""
    _left: dict[str, Kept]
    """Clips that were left, by video, the last one last."""

    def _begin_collecting(self) -> None:
        self.collection, self.collection_path = None, None
        self.missing = frozenset()
        self.wanted_clip = None
        self._clip, self._left = "", {}
        self._staying, self._arrived = False, None
        self._unwanted = False

    _staying: bool
    """Whether what is being opened is a clip of the collection."""
    _arrived: Callable[[], object] | None
    _unwanted: bool

    @property
    def clip(self) -> int | None:
        """The number of the open clip, from 0."""
        return self.collection.find(self._clip) if self.collection is not None and self._clip else None

    @property
    def dirty(self) -> bool:
        """Whether there is work that is not saved, in any clip."""
        return self.history.dirty or bool(self.unsaved_clips)

    @property
    def unsaved_clips(self) -> frozenset[str]:
        """Videos of the clips that were left with unsaved work."""
        return frozenset(video for video, kept in self._left.items() if kept.history.dirty and not self._unwanted)

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
        """Read a manifest in the background, then go to the first clip that is there and not done.

        ``events.clips`` tells that it is read; ``events.error`` (`CollectionError`) why it cannot be.
        """
        return self._collect(path, lambda: load_collection(path))

    def new_collection(self, path: Path, media: Iterable[Path]) -> Job[Any]:
        """Make a collection of videos and folders of images, with its manifest at ``path``, and open it.

        One that is there already is opened and gets the clips it lacks.
        """
        path = path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX)
        found = [str(Path(one).absolute()) for one in media]
        if not found:
            raise SessionError(tr("A collection needs at least one video; choose some"))

        def make() -> Collection:
            before = load_collection(path) if path.exists() else Collection()
            known = {clip.video for clip in before.clips}
            new = [Clip(video) for video in dict.fromkeys(found) if video not in known]
            made = msgspec.structs.replace(before, clips=(*before.clips, *new))
            save_collection(made, path)
            return made

        return self._collect(path, make)

    def open_folder(self, folder: Path) -> Job[Any]:
        """Make a collection of the videos in a folder, or open the one that it has."""
        folder = folder.absolute()
        return self.new_collection(folder / f"{folder.name}{SUFFIX}", videos_in(folder))

    def _collect(self, path: Path, make: Callable[[], Collection]) -> Job[Any]:
        self._not_opening()
        self._opening = tr("Opening {path}…").format(path=path.name)
        self.events.mode(self.mode)

        def work() -> Generator[None, None, tuple[Collection, frozenset[str]]]:
            yield
            made = make()
            return made, frozenset(clip.video for clip in made.clips if not Path(clip.video).exists())

        def end(error: Exception | None, cancelled: bool) -> None:
            self._opening = ""
            if error is not None:
                self.events.mode(self.mode)
                self.events.error(error)
            elif job.value is not None and not self._closed:
                self._release()
                self._clip = ""
                collection, self.missing = job.value
                self.collection = collection
                self.collection_path = path.absolute()
                self.events.mode(self.mode)
                self.events.clips()
                there = [n for n, clip in enumerate(collection.clips) if clip.video not in self.missing]
                first = next((n for n in there if not collection.clips[n].done), next(iter(there), None))
                if first is not None:
                    self.go_to_clip(first)
                else:
                    self.events.message(tr("None of the clips is where it was; say where they are in the Clips panel"))

        job: Job[Any] = self.jobs.run("open", work(), on_end=end)
        return job

    # Changing the list

    def add_clips(self, media: Iterable[Path]) -> None:
        """Add videos and folders of images at the end; those that are there already stay as they are."""
        collection = self._collection()
        new = [Clip(video) for video in dict.fromkeys(str(Path(one).absolute()) for one in media)]
        new = [clip for clip in new if collection.find(clip.video) is None]
        self._change(msgspec.structs.replace(collection, clips=(*collection.clips, *new)))

    def remove_clip(self, number: int) -> None:
        """Take a clip from the list; its video and its labels stay on the disk. Raises `SessionError`."""
        collection, clip = self._collection(), self._clip_at(number)
        if clip.video == self._clip:
            raise SessionError(tr("{clip} is open; go to another clip first (Ctrl+PgDown)").format(clip=clip.name))
        if clip.video in self.unsaved_clips:
            raise SessionError(tr("{clip} has unsaved work; save first (Ctrl+S)").format(clip=clip.name))
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

    # Going from clip to clip

    def go_to_clip(
        self, number: int, *, video: Path | None = None, accept: bool = False, then: Callable[[], object] | None = None
    ) -> Job[Any] | None:
        """Open a clip of the collection; the one that is left keeps its undo, and its journal its unsaved work.

        ``video``: where its video is now, after `RelinkError`; ``accept``: take it although its content differs.
        ``then`` is called once it is open. None when it is open already.
        """
        collection, clip = self._collection(), self._clip_at(number)
        if clip.video == self._clip:
            return None
        self.wanted_clip = number
        kept = self._left.get(clip.video)
        cache = self._paths.cache

        def work() -> Generator[str, None, opening.Opened]:
            project = Path(clip.project) if clip.project else None
            place = video or Path(clip.video)
            if kept is not None:
                return (yield from opening.open_document(kept.history.document, kept.project, cache, video, accept))
            if project is not None and project.exists():
                found = yield from opening.open_path(project, cache, video, accept)
            elif not place.exists():
                ref = opening.unknown_video(clip.video, clip.fingerprint, clip.frames)
                said = tr("{clip} is not at {video}; say where it is").format(clip=clip.name, video=clip.video)
                raise RelinkError(Path(clip.video), ref, None, said)
            else:
                found = yield from opening.open_path(place, cache)
                now = found.media.fingerprint
                if clip.fingerprint and now != clip.fingerprint and not accept:
                    ref = opening.unknown_video(clip.video, clip.fingerprint, clip.frames)
                    said = tr("{place} is not the video that this clip was; say where that is").format(place=place)
                    raise RelinkError(Path(clip.video), ref, place, said)
            found.document.labels = list(schema.merged(found.document.labels, collection.labels))
            return found

        def arrived() -> None:
            self._arrive(clip, video)
            if then is not None:
                then()

        self._not_opening()
        self._staying, self._arrived = True, arrived
        return self._open(work(), Path(clip.video), None, kept)

    def step_clip(self, by: int) -> None:
        """Go to the next clip, or with -1 to the one before, past those that are missing."""
        collection = self._collection()
        at = self.clip
        number = (at if at is not None else (-1 if by > 0 else len(collection.clips))) + by
        while 0 <= number < len(collection.clips) and collection.clips[number].video in self.missing:
            number += by
        if not 0 <= number < len(collection.clips):
            raise SessionError(tr("This is the last clip") if by > 0 else tr("This is the first clip"))
        self.go_to_clip(number)

    def _arrive(self, clip: Clip, video: Path | None) -> None:
        """The clip is open: what is now known of it goes to the list."""
        media, collection = self.require_open(), self._collection()
        at = collection.find(clip.video)
        self.missing -= {clip.video}
        if at is None:
            return
        name = str(video.absolute()) if video is not None else clip.video
        self._clip = name
        project = str(self.project) if self.project is not None else clip.project
        now = msgspec.structs.replace(
            collection.clips[at], video=name, frames=media.frames, fingerprint=media.fingerprint, project=project
        )
        if now != collection.clips[at]:
            self._change(collection.with_clip(at, now))
        else:
            self.events.clips()

    def _open(
        self, work: Any, path: Path | None, leftover: Leftover | None = None, kept: Kept | None = None
    ) -> Job[Any]:
        staying, self._staying = self._staying, False
        arrived, self._arrived = self._arrived, None
        self._next_open = (staying, arrived)
        return super()._open(work, path, leftover, kept)

    _next_open: tuple[bool, Callable[[], object] | None]

    def _install(self, found: opening.Opened, leftover: Leftover | None, kept: Kept | None = None) -> None:
        staying, arrived = self._next_open
        self.runs.flush()
        self.runs.drop()
        if not staying:
            self._release()
            self.collection, self.collection_path, self.missing = None, None, frozenset()
        elif self._clip and self.journal is not None:
            self._left[self._clip] = Kept(self.history, self.journal, self.project, self.frame)
            self.journal = None
            self._forget_oldest()
        if kept is not None:
            self._left = {video: one for video, one in self._left.items() if one is not kept}
        self._clip = ""
        super()._install(found, leftover, kept)
        if arrived is not None:
            arrived()
        else:
            self.events.clips()

    def _forget_oldest(self) -> None:
        clean = [video for video, kept in self._left.items() if not kept.history.dirty]
        for video in clean[:-KEPT]:
            self._left.pop(video).journal.discard()

    def _release(self) -> None:
        """Let go of the clips that were left; unsaved work stays in their journals unless nobody wants it."""
        for kept in self._left.values():
            if kept.history.dirty and not self._unwanted:
                kept.journal.close()
            else:
                kept.journal.discard()
        self._left, self._unwanted = {}, False

    def abandon(self) -> None:
        """As `Filing.abandon`, for all clips."""
        super().abandon()
        self._unwanted = True

    def close(self, *, discard: bool = False, timeout: float = 5.0) -> None:
        """As `Filing.close`, for all clips."""
        if not self._closed:
            super().close(discard=discard, timeout=timeout)
            self._unwanted = self._unwanted or discard
            self._release()

    # Undo across clips

    @property
    def can_undo(self) -> bool:
        return self.history.can_undo or any(kept.history.can_undo for kept in self._left.values())

    @property
    def can_redo(self) -> bool:
        return self.history.can_redo or any(kept.history.can_redo for kept in self._left.values())

    def undo(self, *, here: bool = False) -> None:
        """Take back the newest step of all clips, going to its clip first; ``here``: of the open clip."""
        self.runs.flush()
        newest = max(self._left.items(), key=lambda item: item[1].history.undo_when, default=None)
        if here or newest is None or newest[1].history.undo_when <= self.history.undo_when:
            super().undo()
        else:
            self._at_clip(newest[0], super().undo)

    def redo(self, *, here: bool = False) -> None:
        """Do again what was undone last in any clip, going to its clip first."""
        waiting = [(kept.history.redo_when, video) for video, kept in self._left.items() if kept.history.can_redo]
        if here or not waiting or (self.history.can_redo and self.history.redo_when < min(waiting)[0]):
            super().redo()
        else:
            self._at_clip(min(waiting)[1], super().redo)

    def _at_clip(self, video: str, then: Callable[[], object]) -> None:
        number = self._collection().find(video)
        if number is not None:
            self.go_to_clip(number, then=then)

    # Saving

    def _also_save(self, doc: Document, target: Path) -> AlsoSaved:
        """The clips that were left with unsaved work, then the manifest with what every one of them holds."""
        if self.collection is None or self.clip is None or self.collection_path is None:
            return AlsoSaved()
        path, here = self.collection_path, self._clip
        others: list[Saving] = []
        taken = {target}
        for video in self.unsaved_clips:
            kept = self._left[video]
            where = kept.project or opening.free_name(opening.default_project(Path(video)))
            if where in taken:
                where = opening.free_name(where.with_stem(f"{where.stem}-{len(taken) + 1}"))
            taken.add(where)
            others.append(Saving(kept, video, kept.history.document.copy(), kept.history.state, where))
        before = self.collection
        told: list[tuple[str, dict[str, Any]]] = []

        def work() -> None:
            for one in others:
                save_project(one.doc, one.target)
            documents = [(here, doc, target), *((one.video, one.doc, one.target) for one in others)]
            told.extend((video, counts(held, at)) for video, held, at in documents)
            save_collection(with_counts(before, told, doc), path)

        def done() -> None:
            for one in others:
                one.kept.history.mark_saved(one.state)
                one.kept.project = one.target
                if one.kept.history.state == one.state and one.video in self._left:
                    one.kept.journal.rebase(one.doc, one.target)
            if self.collection is not None:
                self.collection = with_counts(self.collection, told, doc)
                self.events.clips()

        return AlsoSaved(work, done)

    def _collection(self) -> Collection:
        if self.collection is None:
            raise SessionError(tr("No collection of clips is open; File, Open a folder makes one"))
        return self.collection

    def _clip_at(self, number: int) -> Clip:
        clips = self._collection().clips
        if not 0 <= number < len(clips):
            raise SessionError(tr("The collection has no clip {number}").format(number=number + 1))
        return clips[number]
