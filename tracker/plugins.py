"""What other distributions add: entry points of Python packages beside ours, found by name and loaded when used.

Finding reads the metadata of the installed packages alone. A plug-in that cannot be loaded is named with its
distribution and leaves the others alone; see docs/plugins.md.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FORMATS = "siamlabel.formats"
TRACKERS = "siamlabel.trackers"

_log = logging.getLogger("siamlabel")


class PluginError(Exception):
    """A plug-in cannot be used; the message names it, its distribution, and the remedy."""


@dataclass(frozen=True)
class Plugin:
    """One addition. ``distribution``: the package that brings it, with its version."""

    name: str
    distribution: str
    _point: EntryPoint

    def load(self) -> Any:
        """What the entry point names. Raises `PluginError`, also when the plug-in's own code fails."""
        try:
            return self._point.load()
        except (Exception, SystemExit) as error:  # it is not our code: anything may happen
            raise self.broken(f"{type(error).__name__}: {error}") from error

    def broken(self, why: str) -> PluginError:
        """The error that says what is wrong with this plug-in; it is logged once."""
        _tell(self.name, self.distribution, why)
        return PluginError(
            f"The plug-in “{self.name}” of {self.distribution} cannot be used ({why}). Update or remove that package."
        )


def plugins(group: str, taken: Collection[str] = ()) -> dict[str, Plugin]:
    """The plug-ins of an entry point group by name, in order; nothing is loaded.

    A name that is in ``taken``, or that an earlier distribution has, is left out; see `clashes`.
    """
    found: dict[str, Plugin] = {}
    for plugin in _scan(group, tuple(sys.path)):
        if plugin.name not in taken:
            found.setdefault(plugin.name, plugin)
    return found


def clashes(group: str, taken: Collection[str] = ()) -> list[str]:
    """A sentence for each plug-in whose name is another's."""
    chosen = plugins(group, taken)
    return [
        f"The plug-in “{plugin.name}” of {plugin.distribution} is not used: "
        + (f"{chosen[plugin.name].distribution} has that name, too." if plugin.name in chosen else "the name is ours.")
        for plugin in _scan(group, tuple(sys.path))
        if chosen.get(plugin.name) is not plugin
    ]


@cache
def _scan(group: str, path: tuple[str, ...]) -> tuple[Plugin, ...]:
    """Every plug-in of a group, by distribution and name; ``path``: the folders that are searched, to see a change."""
    from importlib.metadata import entry_points  # a twentieth of a second

    found = [
        Plugin(point.name, f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package", point)
        for point in entry_points(group=group)
    ]
    return tuple(sorted(found, key=lambda plugin: (plugin.distribution, plugin.name)))


@cache
def _tell(name: str, distribution: str, why: str) -> None:
    _log.warning("plug-in %s of %s cannot be used: %s", name, distribution, why)
