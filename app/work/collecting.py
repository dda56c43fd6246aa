"""Many clips as one piece of work: going from one to the next without losing undo or unsaved work on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import msgspec

from app.formats.collection import save_collection
from app.formats.project import save_project
from app.model.collection import Clip
from app.model.document import Document
from app.words import tr
from app.work import opening, schema
from app.work.bringing import Brought, bring
from app.work.clip_list import ClipList
from app.work.clips import Saving, counts, with_counts
from app.work.errors import RelinkError, SessionError
from app.work.filing import AlsoSaved, Kept
from app.work.gathering import labelled
from app.work.jobs import Job
from app.work.journal import Leftover

KEPT = 8
"""Clips without unsaved work whose undo is remembered after they were left; those with unsaved work all are. The labels
that came with a clip are no work: they come again."""


class Collecting(ClipList):
    """The part of the session that goes from clip to clip."""

    def _begin_collecting(self) -> None:
        self._begin_list()
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
        self._not_opening()
        self.wanted_clip = number
        kept = self._left.get(clip.video)
        cache = self._paths.cache
        brought: list[Brought] = []

        def work() -> Generator[str, None, opening.Opened]:
            project = Path(clip.project) if clip.project else None
            place = video or Path(clip.video)
            if kept is not None:
                doc = kept.history.document
                again = yield from opening.open_document(doc, kept.project, cache, video, accept)
                return dataclasses.replace(again, message=tr("Opened {name}").format(name=clip.name))
            if project is not None and project.exists():
                found = yield from opening.open_path(project, cache, video, accept)
            elif not place.exists():
                ref = opening.unknown_video(clip.video, clip.fingerprint, clip.frames)
                raise RelinkError(
                    Path(clip.video),
                    ref,
                    None,
                    tr("{clip} is not at {video}; say where it is").format(clip=clip.name, video=clip.video),
                )
            else:
                found = yield from opening.open_path(place, cache)
                now = found.media.fingerprint
                if clip.fingerprint and now != clip.fingerprint and not accept:
                    ref = opening.unknown_video(clip.video, clip.fingerprint, clip.frames)
                    said = tr("{place} is not the video that this clip was; say where that is").format(place=place)
                    raise RelinkError(Path(clip.video), ref, place, said)
            found.document.labels = list(schema.merged(found.document.labels, collection.labels))
            if clip.truths and found.project is None:
                found, came = yield from bring(clip, found)
                brought.append(came)
            return found

        def arrived() -> None:
            if kept is None:
                self.failed.pop(clip.video, None)
            self._arrive(clip, video)
            for one in brought:
                self._tell_brought(clip, one)
            if then is not None:
                then()

        self._staying, self._arrived = True, arrived
        return self._open(work(), Path(clip.video), None, kept)

    def _find(
        self, target: Path | None, video: Path | None, accept: bool, fresh: bool
    ) -> Generator[str, None, opening.Opened]:
        """As `Filing._find`; labels that a data set has for a folder of images come in, unless ``fresh``."""
        opens = super()._find(target, video, accept, fresh)
        brought: list[tuple[Clip, Brought]] = []

        def work() -> Generator[str, None, opening.Opened]:
            found = yield from opens
            clip = labelled(found.media.path) if target is not None and target.is_dir() and not fresh else None
            if clip is not None and found.project is None:
                found, came = yield from bring(clip, found)
                brought.append((clip, came))
            return found

        def arrived() -> None:
            self.events.clips()
            for clip, came in brought:
                self._tell_brought(clip, came)

        self._arrived = arrived
        return work()

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

    def next_unfinished(self) -> None:
        """Go to the next clip that is not done, past the end to the first again. Raises `SessionError` without one."""
        clips = self._collection().clips
        at = self.clip if self.clip is not None else -1
        for number in (*range(at + 1, len(clips)), *range(max(at, 0))):
            if not clips[number].done and clips[number].video not in self.missing:
                self.go_to_clip(number)
                return
        raise SessionError(tr("All other clips are done"))

    def _arrive(self, clip: Clip, video: Path | None) -> None:
        """The clip is open: what is now known of it goes to the list."""
        media, collection = self.require_open(), self._collection()
        at = collection.find(clip.video)
        self.missing -= {clip.video}
        self._seeking = []
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

    def _tell_brought(self, clip: Clip, brought: Brought) -> None:
        """Say which labels came with a clip of a data set, or why none did."""
        if brought.error is not None:
            self.failed[clip.video] = str(brought.error)
            self.events.clips()
            self.events.error(brought.error)
        elif brought.said:
            self.select(*sorted(self.document.tracks)[:1])
            self.events.message(brought.said)
            if brought.notes:
                self.events.error(SessionError(" ".join((f"{clip.name}:", *brought.notes))))

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
            self.collection, self.collection_path = None, None
            self.missing, self.failed = frozenset(), {}
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
        spare = [video for video, kept in self._left.items() if not kept.history.worked_on]
        for video in spare[:-KEPT]:
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
