"""The table of keys as docs/keys.md has it."""

from __future__ import annotations

from itertools import groupby

from app.commands import COMMANDS
from app.commands.table import WINDOW

_HEAD = """# Keys

Made by `main.py keys --markdown` from the command table. Every command is in the palette (`Ctrl+Shift+P`) too, and each
key can be changed (`F1`). Keys of a tool mean something else while the tool is in hand.
"""


def markdown() -> str:
    """All commands with keys, by menu."""
    parts = [_HEAD]
    keyed = [command for command in COMMANDS if command.keys]
    for group, commands in groupby(sorted(keyed, key=lambda c: _GROUPS.index(c.group)), key=lambda c: c.group):
        parts.append(f"\n## {group}\n\n| keys | command | |\n| --- | --- | --- |\n")
        for command in commands:
            keys = " ".join(f"`` {key} ``" if "`" in key else f"`{key}`" for key in command.keys)
            hint = command.hint if command.scope == WINDOW else f"{command.hint} (tool: {command.scope})".strip()
            parts.append(f"| {keys} | {command.title.removesuffix('…')} | {hint} |\n")
    return "".join(parts)


_GROUPS = list(dict.fromkeys(command.group for command in COMMANDS))
