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

__all__ = [
    "ExportMismatchError",
    "ExportReport",
    "Format",
    "FormatError",
    "OpenFrames",
    "Preflight",
    "export",
    "formats",
    "get",
    "plan",
    "run_export",
]
