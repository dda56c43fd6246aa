"""Bringing in the labels of other tools: read beside everything else, shown, then taken in one step."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import msgspec

from app.formats.detect import detect, guess, read_about, reading
from app.model.edits import AddTrack, SetComment
from app.words import tr
from app.work.describing import Describing
from app.work.errors import SessionError
from app.work.incoming import Incoming, fit
from app.work.jobs import Job


class Importing(Describing):
    """The importing part of the session."""

    def read_labels(self, path: Path | str, format_id: str = "", how: msgspec.Struct | None = None) -> Job[Incoming]:
        """Read labels of any known format in the background; nothing is changed yet.

        ``events.incoming`` tells what they will bring, for `take_labels`; ``events.error`` (`FormatError`) what is
        wrong with them. ``format_id``: the format where it cannot be told from the file. ``how``: what
        `app.formats.detect.reading` leaves open; None takes what the labels that are here suggest, else the defaults.
        """
        self.require_open()
        here = self.document.copy()
        target = Path(path)

        def work() -> Generator[None, None, Incoming]:
            yield
            chosen = format_id or detect(target)
            kind, given, why = reading(chosen), how, ""
            found = read_about(target, here.video, chosen, given)
            yield
            better = guess(found, here, chosen) if given is None else None
            if better is not None:
                again = read_about(target, here.video, chosen, better[0])
                if again.tracks != found.tracks:
                    found, (given, why) = again, better
                yield
            return fit(found, here, target, chosen, given if given or kind is None else kind(), why)

        def end(error: Exception | None, cancelled: bool) -> None:
            self.events.progress(title, None)
            if error is not None:
                self.events.error(error)
            elif job.value is not None:
                self.events.incoming(job.value)

        title = tr("Reading {target}").format(target=target.name)
        self.events.progress(title, 0.0)
        job: Job[Incoming] = self.jobs.run("files", work(), on_end=end)
        return job

    def take_labels(self, incoming: Incoming) -> None:
        """Bring in what was read, as one undo step. Raises `EditError` when it no longer fits the document."""
        self.require_open()
        if incoming.empty:
            raise SessionError(tr("{path} holds no labels").format(path=incoming.path.name))
        taken = self.document.tracks.keys() | self.document.comments.keys()
        wanted = {edit.track.id for edit in incoming.edit.edits if isinstance(edit, AddTrack)}
        wanted |= {edit.id for edit in incoming.edit.edits if isinstance(edit, SetComment)}
        if wanted & taken:  # numbers that were free when it was read
            incoming = fit(incoming.found, self.document, incoming.path, incoming.format, incoming.how)
        change = self.commit(incoming.edit, tr("Import {path}").format(path=incoming.path.name))
        tracks = sorted(change.tracks)
        self.select(*tracks[:1])
        self.events.message(
            tr("Imported {count} objects from {path}").format(count=len(tracks), path=incoming.path.name)
        )
