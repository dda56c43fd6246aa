"""An edit that only brings new things, carried out beforehand on a copy: taking it over then costs next to nothing."""

from __future__ import annotations

from dataclasses import dataclass

from app.model.document import Change, Comment, Document, Label
from app.model.edits import AddTrack, Edit, EditError, Group, SetComment, SetLabels, apply
from app.model.tracks import Track
from app.words import tr


@dataclass(frozen=True)
class Prepared:
    """What `prepare` made of ``edit``: ``back`` takes it back, ``change`` is what it touches."""

    edit: Group
    back: Edit
    change: Change
    _before: Document
    """As it was, without the frames of its tracks."""
    _tracks: dict[int, Track]
    _comments: dict[int, Comment]
    _labels: list[Label]
    _next_id: int

    def fits(self, doc: Document) -> bool:
        """Whether ``doc`` still has room for it: other edits may have been made, but none that concerns it."""
        new = self._tracks.keys() | self._comments.keys()
        same = (doc.video, doc.labels) == (self._before.video, self._before.labels)
        return same and not new & (doc.tracks.keys() | doc.comments.keys())

    def put(self, doc: Document) -> None:
        """Do to ``doc`` what ``edit`` does. Raises `EditError` where it does not fit; ``doc`` is unchanged then."""
        if not self.fits(doc):
            raise EditError(tr("What comes in does not fit any more."))
        doc.tracks.update((id_, track.copy()) for id_, track in self._tracks.items())
        doc.comments.update(self._comments)
        doc.labels = list(self._labels)
        doc.next_id = max(doc.next_id, self._next_id)


def prepare(edit: Group, doc: Document) -> Prepared:
    """Carry out ``edit`` on ``doc``, a copy that nobody else has; slow, for a worker.

    ``edit`` adds tracks and comments and replaces the labels. Raises ValueError for any other, `EditError` when it does
    not fit.
    """
    kinds = AddTrack | SetComment | SetLabels
    if not all(isinstance(part, kinds) and getattr(part, "id", 0) not in doc.comments for part in edit.edits):
        raise ValueError("only what is new can be prepared")
    before = Document(doc.video, list(doc.labels), dict(doc.tracks), doc.next_id, dict(doc.comments))
    back, change = apply(edit, doc)
    tracks = {id_: track for id_, track in doc.tracks.items() if id_ not in before.tracks}
    comments = {id_: comment for id_, comment in doc.comments.items() if id_ not in before.comments}
    before.tracks.clear()
    return Prepared(edit, back, change, before, tracks, comments, list(doc.labels), doc.next_id)
