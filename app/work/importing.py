"""Bringing in the labels of other tools: read beside everything else, shown, then taken in one step."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import msgspec

from app.formats.detect import detect, guess, read_about, reading
from app.words import tr, trn
from app.work.describing import Describing
from app.work.errors import SessionError
from app.work.incoming import Incoming, fit, readied
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
        here, frames = self.document.copy(), self.lanes.frames
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
            fitted = fit(found, here, target, chosen, given if given or kind is None else kind(), why)
            yield
            return readied(fitted, here, frames)

        return self._read(tr("Reading {target}").format(target=target.name), work(), self.events.incoming)

    def take_labels(self, incoming: Incoming) -> Job[Incoming] | None:
        """Bring in what was read, as one undo step, at once.

        Where an edit that was made since it was read stands in its way, it is fitted anew in the background, and comes
        in when the job that is answered has ended. Raises `SessionError` when it is empty.
        """
        self.require_open()
        if incoming.empty:
            raise SessionError(tr("{path} holds no labels").format(path=incoming.path.name))
        ready = incoming.ready
        if ready is None or not ready.prepared.fits(self.document):
            return self._fit_anew(incoming)
        self.lanes.expect(dict(ready.lanes))
        change = self.history.take(ready.prepared, tr("Import {path}").format(path=incoming.path.name))
        tracks = sorted(change.tracks)
        self.select(*tracks[:1])
        said = trn("Imported {count} object from {path}", "Imported {count} objects from {path}", len(tracks))
        self.events.message(said.format(count=len(tracks), path=incoming.path.name))
        return None

    def _fit_anew(self, incoming: Incoming) -> Job[Incoming]:
        """Find numbers that are free now, then take it; what is edited meanwhile may ask for another round."""
        here, frames, history = self.document.copy(), self.lanes.frames, self.history
        name = incoming.path.name

        def work() -> Generator[None, None, Incoming]:
            yield
            fitted = fit(incoming.found, here, incoming.path, incoming.format, incoming.how, incoming.why)
            yield
            return readied(fitted, here, frames)

        def took(again: Incoming) -> None:
            if self.history is history:
                self.take_labels(again)
            else:
                self.events.error(
                    SessionError(tr("{name} was not imported: another clip is open now").format(name=name))
                )

        return self._read(tr("Importing {name}").format(name=name), work(), took)

    def _read(
        self, title: str, work: Generator[None, None, Incoming], took: Callable[[Incoming], object]
    ) -> Job[Incoming]:
        """Read in the background under ``title``; what came of it is for ``took``, unless it failed or was stopped."""

        def end(error: Exception | None, cancelled: bool) -> None:
            self.events.progress(title, None)
            if error is not None:
                self.events.error(error)
            elif job.value is not None:
                took(job.value)

        self.events.progress(title, 0.0)
        job: Job[Incoming] = self.jobs.run("files", work, on_end=end)
        return job
