"""Opening, saving, exporting."""

from __future__ import annotations

from app.commands.table import Command, is_open

COMMANDS: tuple[Command, ...] = (
    Command("file.open", "Open…", ("Ctrl+O",), "File", lambda s, ui, **p: s.open(**p), ask="open",
            hint="Open a video, a folder of images or a project"),
    Command("file.open_folder", "Open a folder of clips…", ("Ctrl+Shift+O",), "File",
            lambda s, ui, **p: s.open_folder(**p), ask="clip_folder",
            hint="Its videos, folders of images, or the sequences of a data set with their labels, as one collection"),
    Command("file.sample", "Open the sample clip", (), "File", lambda s, ui: s.open(None),
            hint="A short clip to try everything on"),
    Command("file.save", "Save", ("Ctrl+S",), "File", lambda s, ui: s.save(), is_open,
            hint="Save the project, beside the video unless it has another place"),
    Command("file.save_as", "Save as…", ("Ctrl+Shift+S",), "File", lambda s, ui, **p: s.save(**p), is_open, "save_as",
            hint="Save the project under another name"),
    Command("file.import", "Import labels…", ("Ctrl+I",), "File", lambda s, ui, **p: s.read_labels(**p), is_open,
            "label_data", hint="A file of another tool or a tracker's results; shown before anything is changed"),
    Command("file.import_folder", "Import a folder of labels…", ("Ctrl+Shift+I",), "File",
            lambda s, ui, **p: s.read_labels(**p), is_open, "label_folder",
            hint="Such as VOT, DAVIS, YOLO or MOTChallenge"),
    Command("file.export", "Export…", ("Ctrl+E",), "File", lambda s, ui, **p: s.export(**p), is_open, "export",
            hint="Write the labels in a format of the field, with proof"),
    Command("file.export_frames", "Export frames…", ("Ctrl+Shift+E",), "File",
            lambda s, ui, **p: s.export_frames(**p), is_open, "frames",
            hint="As pictures or as a clip, exactly the frames that are wanted"),
    Command("file.quit", "Quit", ("Ctrl+Q",), "File", lambda s, ui: ui.quit()),
)  # fmt: skip
