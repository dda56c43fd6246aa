"""The documents promise what the project does: commands, keys, links."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from app.commands.sheet import markdown

DOCUMENTS = ["README.md", "CONTRIBUTING.md"] + [
    f"docs/{name}.md" for name in ("ARCHITECTURE", "user-guide", "formats", "plugins")
]


def text(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


def test_the_two_commands_are_the_first_in_the_readme(root: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", text(root, "README.md"), flags=re.DOTALL)
    assert [block.strip() for block in blocks[:2]] == [
        "python3 packaging/bootstrap.py run",
        "python3 packaging/bootstrap.py test",
    ]


def test_ci_runs_the_second_one(root: Path) -> None:
    ci = text(root, ".ci/run")
    assert "python3 packaging/bootstrap.py test --system" in ci
    assert "set -euo pipefail" in ci
    assert os.name == "nt" or os.access(root / ".ci" / "run", os.X_OK)


def test_every_command_that_is_shown_exists(root: Path) -> None:
    """Each `bootstrap.py run WORD` of the documents is a command of main.py or a path."""
    import main

    cli = main.command_line()
    shown = {
        word
        for name in DOCUMENTS
        for word in re.findall(r"bootstrap\.py run ([\w./-]+)|main\.py (\w[\w-]*)", text(root, name))
        for word in word
        if word
    }
    assert {word for word in shown if word not in cli and not word.isupper()} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(root: Path, name: str) -> None:
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text(root, name))
    folder = (root / name).parent
    assert [t for t in targets if not t.startswith("http") and not (folder / t).exists()] == []


def test_the_table_of_keys_is_the_command_table(root: Path) -> None:
    assert text(root, "docs/keys.md") == markdown(), "write it anew: python main.py keys --markdown > docs/keys.md"
