"""Formats that other distributions bring, by entry points of the group ``siamlabel.formats``; see docs/plugins.md."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any

import msgspec

from tracker.plugins import FORMATS, PluginError, clashes, plugins

_VALUES = ("id", "title", "suffix", "folder", "params", "holds")
_METHODS = ("recognises", "plan", "keep", "wants_pictures", "write", "proof", "may_replace", "read")


def names(taken: Collection[str]) -> list[str]:
    """The ids of the formats that plug-ins bring, without those in ``taken``; nothing is loaded."""
    return list(plugins(FORMATS, taken))


def load(name: str) -> Any:
    """The format object of a plug-in. Raises `PluginError` when it cannot be loaded or is no format of that id."""
    plugin = plugins(FORMATS)[name]
    found = plugin.load()
    lacks = [part for part in _VALUES if not hasattr(found, part)]
    lacks += [part for part in _METHODS if not callable(getattr(found, part, None))]
    if inspect.isclass(found):
        raise plugin.broken(f"{found.__name__} is a class; the entry point has to name an object of it")
    if lacks:
        raise plugin.broken(f"the format lacks {', '.join(lacks)}")
    if found.id != name:
        raise plugin.broken(f"the format calls itself “{found.id}”")
    if not (inspect.isclass(found.params) and issubclass(found.params, msgspec.Struct)):
        raise plugin.broken("its params are no msgspec.Struct")
    return found


def problems(taken: Collection[str]) -> list[str]:
    """A sentence for each plug-in that brings no usable format."""
    out = clashes(FORMATS, taken)
    for name in names(taken):
        try:
            load(name)
        except PluginError as error:
            out.append(str(error))
    return out
