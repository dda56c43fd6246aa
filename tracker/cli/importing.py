"""``main.py import-weights``: published weights made ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table

from tracker import registry
from tracker.cli.terminal import console, prepare

if TYPE_CHECKING:
    from tracker.importing.convert import Import

SHOWN = 3
"""Names of tensors in a row of the report, without --verbose."""


def import_weights(
    file: Path,
    *,
    as_: Annotated[str, Parameter(name="--as")],
    out: Path | None = None,
    half: Annotated[bool, Parameter(negative=())] = False,
    licence: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    verbose: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Make a tracker's weights from a file that others published: all of them or nothing.

    Reads PyTorch's files and safetensors, as written by pysot, the repositories of SiamMask and SiamAtt, mmtracking and
    torchvision (ResNet-50). No code that such a file may carry is ever run.

    Parameters
    ----------
    file
        The published file.
    as_
        The tracker it is for; resnet50-backbone for ImageNet weights to start a training from.
    out
        Where to write (.safetensors). Default: the folder of imported weights, where the trackers find them.
    half
        Keep numbers at 16 bits: half the size, no longer the same bit for bit.
    licence
        The licence that the publisher gives, kept in the file.
    dry_run
        Compare only, write nothing.
    verbose
        Name every tensor in the report.
    """
    from tracker.importing import convert

    found = convert.examine(file, as_)
    terminal = console()
    terminal.print(_report(found, verbose))
    found.require()
    if dry_run:
        terminal.print(f"{file.name} can be imported as {found.target}; nothing was written.")
        return 0
    if out is not None:
        prepare(out)
    written = convert.write(found, out, half=half, licence=licence)
    terminal.print(f"{written} ({written.stat().st_size / 1e6:.1f} MB)", soft_wrap=True)
    if found.target in registry.names() and written not in registry.weight_files(found.target):
        terminal.print(f"To use it: --tracker {found.target} --weights {written}", soft_wrap=True)
    return 0


def _report(found: Import, verbose: bool) -> Table:
    """What became of every tensor: one row per kind, with the first names or with all."""
    fit = found.fit
    rows = {
        "mapped": [_renamed(found.sources.get(name, name), name) for name in fit.mapped],
        "missing": list(fit.missing),
        "unexpected": [found.sources.get(name, name) for name in fit.unexpected],
        "misshapen": [f"{found.sources.get(name, name)} is {own}, not {wanted}" for name, own, wanted in fit.misshapen],
        "ignored": list(found.ignored),
        "filled in": list(fit.filled),
    }
    table = Table(title=f"{found.path.name} ({found.layout}) as {found.target}", title_justify="left")
    for title in ("tensors", "count", "names"):
        table.add_column(title, justify="right" if title == "count" else "left", overflow="fold")
    for kind, names in rows.items():
        if names or kind in ("mapped", "missing", "unexpected", "misshapen"):
            shown = names if verbose else names[:SHOWN]
            rest = "\n…" if len(shown) < len(names) else ""
            table.add_row(kind, str(len(names)), "\n".join(shown) + rest)
    return table


def _renamed(source: str, name: str) -> str:
    return name if source == name else f"{source} → {name}"
