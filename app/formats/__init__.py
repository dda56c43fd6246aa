"""Readers and writers, one file per format, each with a loss report. `base` holds what they share."""

from app.formats.base import (
    ExportMismatchError,
    ExportReport,
    Format,
    FormatError,
    OpenFrames,
    Preflight,
    export,
    formats,
    get,
    plan,
    run_export,
)
from app.formats.conversion import convert
from app.formats.detect import detect

__all__ = [
    "ExportMismatchError",
    "ExportReport",
    "Format",
    "FormatError",
    "OpenFrames",
    "Preflight",
    "convert",
    "detect",
    "export",
    "formats",
    "get",
    "plan",
    "run_export",
]
