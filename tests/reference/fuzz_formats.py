"""Mutated inputs for every importer: each is read, or refused with a `FormatError`; never a crash, a hang or a flood.

    PYTHONPATH=.:tests/unit python tests/reference/fuzz_formats.py [FORMAT ...] --count 10000

Sound exports are changed: bytes, lines and values are flipped, cut, repeated and replaced by what breaks parsers. An
input that takes longer than `SECONDS`, needs more memory than `MEMORY`, or raises anything but `FormatError` is kept
under ``--keep`` and counted; the exit status is 1 then. Runs on Linux and macOS.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from format_documents import documents, small
from hypothesis import HealthCheck, Phase, given, seed, settings

from app.formats import FormatError, base, run_export
from app.formats.project import ProjectError, load_project, save_project
from app.model.document import Document

SECONDS = 20
MEMORY = 4 << 30  # bytes of address space, OpenCV and numpy included
MOST_BYTES = 1 << 20
MOST_WORDS = 2000  # characters of an error that people are to read
PROJECT = "siamlabel"

TOKENS = [
    b"nan", b"NaN", b"inf", b"-inf", b"1e999", b"-1", b"0", b"-0.0", b"1e308", b"99999999999999999999", b"4294967296",
    b"2147483648", b"1.5", b"", b" ", b",", b";", b"\t", b"\n", b"\r\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3",
    b"../../../etc/passwd", b"..\\..\\x", b"/etc/passwd", b"C:\\x", b"null", b"true", b"[]", b"{}", b'""', b"[" * 3000,
    b"{\"a\":" * 3000, b"<a>" * 2000, b"<!DOCTYPE a [<!ENTITY b \"c\">]>", b"&b;", b"&#0;", b"%s%n", b"'", b'"', b"\\",
    b"oo7oo7", b"zzzzzzzz", b"m0,0,0,0,0", b"m1,0,2,2,0,3,1", "é\u202e".encode(), b"A" * 5000, b"true" * 50,
]  # fmt: skip


def sound(name: str, folder: Path) -> list[Path]:
    """Some exports of a format: the small document and random ones."""
    docs: list[Document] = [small()]

    @seed(7)
    @settings(max_examples=12, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(documents())
    def collect(doc: Document) -> None:
        docs.append(doc)

    collect()
    out = []
    for number, doc in enumerate(docs):
        target = folder / str(number)
        if name == PROJECT:
            target = target.with_suffix(".siamlabel")
            save_project(doc, target)
        else:
            known = base.get(name)
            target = target.with_name(f"{number}{known.suffix}")
            try:
                run_export(doc, None, name, target)
            except FormatError:  # nothing in it that this format could hold
                continue
        out.append(target)
    return out


def mutated(data: bytes, dice: random.Random) -> bytes:
    """``data`` with one to four changes."""
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(8):
            case 0:
                data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at]
            case 2:
                data = data[:at] + dice.choice(TOKENS) + data[at:]
            case 3:
                data = data[:at] + dice.choice(TOKENS) + data[at + dice.randrange(1, 12) :]
            case 4:
                words = [w for w in _words(data) if w[1] > w[0]]
                if words:
                    start, stop = dice.choice(words)
                    data = data[:start] + dice.choice(TOKENS) + data[stop:]
            case 5:
                rows = data.splitlines(keepends=True)
                if rows:
                    row = dice.randrange(len(rows))
                    rows[row : row + 1] = rows[row : row + 1] * dice.choice((0, 2, 2, 50))
                    data = b"".join(rows)
            case 6:
                other = dice.randrange(len(data) + 1)
                data = data[:at] + data[min(at, other) : max(at, other)] + data[at:]
            case _:
                data = data[:at] + data[at + dice.randrange(1, 200) :]
    return data[:MOST_BYTES]


def _words(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the values of a text begin and end."""
    start = 0
    for at, byte in enumerate(data):
        if byte in b" ,;:\t\n\r=<>\"'[]{}":
            yield start, at
            start = at + 1
    yield start, len(data)


def fuzz(name: str, count: int, keep: Path, start: int) -> Counter[str]:
    tally: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as temporary:
        exports = sound(name, Path(temporary))
        victims = [
            (export, file)
            for export in exports
            for file in (sorted(p for p in export.rglob("*") if p.is_file()) if export.is_dir() else [export])
        ]
        contents = {file: file.read_bytes() for _, file in victims}
        began = time.monotonic()
        for number in range(count):
            dice = random.Random(start + number)
            export, file = dice.choice(victims)
            file.write_bytes(mutated(contents[file], dice))
            tally[attempt(name, export, keep / f"{name}-{start + number}")] += 1
            file.write_bytes(contents[file])
        tally["seconds"] = round(time.monotonic() - began)
    return tally


def attempt(name: str, export: Path, keep: Path) -> str:
    signal.alarm(SECONDS)
    try:
        if name == PROJECT:
            load_project(export)
        else:
            known = base.get(name)
            known.recognises(export)
            doc = known.read(export)
            msgspec.json.encode(doc)  # whatever came in can be saved
        return "read"
    except (FormatError, ProjectError) as error:
        if len(str(error)) < MOST_WORDS:
            return "refused"
        print(f"{name}, {export.name}: {str(error)[:400]} ... of {len(str(error))} characters", file=sys.stderr)
        return "refused at length"
    except BaseException:
        if sys.exc_info()[0] is KeyboardInterrupt:
            raise
        shutil.rmtree(keep, ignore_errors=True)
        keep.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if export.is_dir() else shutil.copyfile)(export, keep)
        print(f"{keep}: {traceback.format_exc(limit=-3)}", file=sys.stderr)
        return "crashed"
    finally:
        signal.alarm(0)


def hung(*_: object) -> None:
    raise TimeoutError(f"longer than {SECONDS} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", default=[PROJECT, *base.formats(plugins=False)])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--start", type=int, default=0, help="the seed of the first input")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-formats")
    given_ = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, hung)
    bad = 0
    for name in given_.formats:
        tally = fuzz(name, given_.count, given_.keep, given_.start)
        bad += tally["crashed"] + tally["refused at length"]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # KiB on Linux
        print(f"{name}: {dict(sorted(tally.items()))}, peak {peak} MB", flush=True)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
