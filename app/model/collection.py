"""A collection: many clips that are labelled as one piece of work. Each keeps a document of its own."""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.model.document import Count, Label, SettingValue

_SAY_LITTLE = frozenset({"img", "imgs", "img1", "color", "frames", "images", "video"})
"""Names that every clip of a data set has."""


class Clip(msgspec.Struct, frozen=True):
    """One video or folder of images and what the last save of its document held.

    ``video`` is an absolute path; ``project`` the file of its document, empty while it was never saved. ``frames`` is 0
    and ``fingerprint`` empty until it was opened once. ``labelled``: frames that say something; ``vouched``: those of
    them on which a person vouches for all; ``verified``: observations; ``suspicious``: frames that still want a look.
    ``truths``: labels that its data set has for it, in the format of this id; they come in when it is first opened.
    """

    video: str
    project: str = ""
    fingerprint: str = ""
    frames: Count = 0
    objects: Count = 0
    boxes: Count = 0
    labelled: Count = 0
    verified: Count = 0
    suspicious: Count = 0
    done: bool = False
    vouched: Count = 0
    truths: tuple[str, ...] = ()
    format: str = ""

    @property
    def name(self) -> str:
        """What to call it: the file's name, or that of the folder above where its own says little."""
        path = Path(self.video)
        return path.parent.name if path.stem.lower() in _SAY_LITTLE and path.parent.name else path.name

    @property
    def share(self) -> float:
        """How much of it is labelled, 0 to 1."""
        return min(1.0, self.labelled / self.frames) if self.frames else 0.0

    @property
    def share_vouched(self) -> float:
        """How much of it a person vouches for, 0 to 1."""
        return min(1.0, self.vouched / self.frames) if self.frames else 0.0


class Collection(msgspec.Struct, frozen=True):
    """The clips in their order, the labels that every one of them is given when it is opened, and by name the settings
    that hold for all of them."""

    clips: tuple[Clip, ...] = ()
    labels: tuple[Label, ...] = ()
    settings: dict[str, SettingValue] = {}

    def with_clip(self, number: int, clip: Clip) -> Collection:
        """Another collection in which one clip is replaced."""
        return msgspec.structs.replace(self, clips=(*self.clips[:number], clip, *self.clips[number + 1 :]))

    def find(self, video: str) -> int | None:
        """The number of a clip, from 0, by the path of its video."""
        return next((n for n, clip in enumerate(self.clips) if clip.video == video), None)
