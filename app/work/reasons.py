"""What a tracker says of its verdicts and of what it cannot do, in the language of the window.

Trackers know no languages, and some are plug-ins: their sentences are recognised here by pattern. One that is not known
stays as it was said.
"""

from __future__ import annotations

import re
from functools import cache

from app.words import mark, tr
from tracker.api import Prediction

REASONS = (
    mark("confidence {value} has fallen below {limit}"),
    mark("confidence {value} is below {limit}; searching a larger region"),
    mark("confidence {value} is low"),
    mark("it has left the picture"),
    mark("it may be back; another frame must agree"),
    mark("nothing here looks like the target (probability {value})"),
    mark("nothing here draws attention as the target does ({value})"),
    mark("something else here answers {value} times as much"),
    mark("nothing here differs from its surroundings as the target did ({value})"),
    mark("nothing here stands out as the target does (sharpness {value})"),
    mark("what is here is unlike what was marked (similarity {value})"),
    mark("the box is {value} times larger than usual"),
    mark("the box is {value} times smaller than usual"),
    mark("the box jumped by {value} target sizes"),
    mark("{value} of the box lies outside the picture"),
    mark("a look-alike {where} scores {value} of the target"),
    mark("box and mask disagree (overlap {value})"),
    mark("{value} cannot locate the target"),
)
FAULTS = (
    mark("There is no tracker named “{name}”. Known trackers: {known}."),
    mark("{name} cannot be loaded ({error}); run packaging/bootstrap.py to install it."),
    mark("{path} is not a readable safetensors file ({error}); restore it."),
    mark("{path}: not weights of this SiamLabel ({error}). Use a matching version."),
    mark(
        "{path} holds weights with {part} {found}, not {wanted}. Choose the tracker that they were made for, or other "
        "weights."
    ),
    mark("{path}: the weights do not fit the network: {first}"),
    mark("{path}: cannot read the weights ({error}). Restore the file."),
    mark("The box {box} has no area. Draw one around the target."),
    mark("The box {box} misses the {width} x {height} px image. Draw it on the target."),
    mark("The box {box} is empty: draw it around the object."),
    mark("The box {box} lies outside the {width} × {height} image."),
    mark("{name} cannot start on the box {box}: {error}"),
    mark("This OpenCV has no {kind}: install opencv-contrib-python-headless instead of opencv-python."),
    mark("Device '{device}' is not available on this machine. Use one of: auto, {usable}."),
    mark("{path} is a folder. Name the file of weights in it."),
    mark("{path} is not there. Check the name."),
    mark("{path} is empty. Download or copy it again."),
    mark("{path} cannot be read: {error}"),
    mark("{path} is an encrypted archive. Unpack it and name the file of weights in it."),
    mark("{path} is a TorchScript program. Save the state_dict of the model instead."),
    mark("{path} is an archive without weights. Unpack it and name the file in it."),
    mark(
        "{path} wants to run code ({what}) and was not loaded. Get a file that holds a plain state_dict, or save one "
        "in the program that wrote this."
    ),
    mark("{name} has no weights to import. Weights can be imported as {known}."),
)

DIRECTIONS = (
    mark("above and to the left"), mark("above"), mark("above and to the right"), mark("to the left"),
    mark("to the right"), mark("below and to the left"), mark("below"), mark("below and to the right"),
    mark("beside it"),
)  # fmt: skip


def why(prediction: Prediction) -> str:
    """The reason of a doubt for people; its score where the tracker gives none."""
    return translated(prediction.reason) or tr("score {score:.2f}").format(score=prediction.score)


def translated(reason: str) -> str:
    """A sentence of a tracker in the language in use."""
    for sentence in (*REASONS, *FAULTS):
        if found := _pattern(sentence).fullmatch(reason):
            parts = {name: tr(value) if value in DIRECTIONS else value for name, value in found.groupdict().items()}
            return tr(sentence).format(**parts)
    return reason


@cache
def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(sentence)), re.DOTALL)
