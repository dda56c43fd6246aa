"""``main.py trackers``: what there is to choose from."""

from __future__ import annotations

from rich.table import Table

from tracker import registry
from tracker.cli.terminal import console


def list_trackers() -> int:
    """List the trackers: name, size, weights, licence."""
    table = Table()
    for title in ("name", "also", "what", "parameters", "weights", "masks", "licence"):
        table.add_column(title, no_wrap=title == "name", justify="right" if title == "parameters" else "left")
    for info in registry.infos():
        size = f"{info.parameters / 1e6:.2f} M" if info.parameters is not None else "-"
        masks = "yes" if info.masks else "no"
        weights = info.weights if info.ready else f"needs weights; {info.weights.removeprefix('none: ')}"
        table.add_row(info.name, ", ".join(info.aliases), info.title, size, weights, masks, info.licence)
    console().print(table)
    for problem in registry.problems():
        console().print(problem, highlight=False)
    return 0
