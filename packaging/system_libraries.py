"""Which system libraries Qt needs on Linux, whether they load, and the exact line that installs the missing ones.

Wheels bring almost everything; these few come from the distribution. The list was read off the dynamic sections of the
Qt libraries and of the platform plugins (``ldd``), then tried on a bare system.
Standard library only; nothing here runs on Windows or macOS, where Qt needs nothing from outside.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class MissingPackagesError(Exception):
    """System packages are missing; the text names them and the line that installs them."""


class Need(NamedTuple):
    """One shared object and the package that brings it (apt: Debian, Ubuntu; dnf: Fedora, RHEL)."""

    soname: str
    apt: str
    dnf: str


# What `import PySide6.QtGui` loads, so needed even without a screen.
BASE = (
    Need("libEGL.so.1", "libegl1", "libglvnd-egl"),
    Need("libGL.so.1", "libgl1", "libglvnd-glx"),
    Need("libX11.so.6", "libx11-6", "libX11"),
    Need("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon"),
    Need("libdbus-1.so.3", "libdbus-1-3", "dbus-libs"),
    Need("libfontconfig.so.1", "libfontconfig1", "fontconfig"),
    Need("libfreetype.so.6", "libfreetype6", "freetype"),
    Need("libglib-2.0.so.0", "libglib2.0-0", "glib2"),
    Need("libgthread-2.0.so.0", "libglib2.0-0", "glib2"),
    Need("libz.so.1", "zlib1g", "zlib"),
)
# What the xcb platform plugin loads on top: X11 screens, and Wayland ones through XWayland.
XCB = (
    Need("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb"),
    Need("libxcb.so.1", "libxcb1", "libxcb"),
    Need("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor"),
    Need("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm"),
    Need("libxcb-image.so.0", "libxcb-image0", "xcb-util-image"),
    Need("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms"),
    Need("libxcb-randr.so.0", "libxcb-randr0", "libxcb"),
    Need("libxcb-render.so.0", "libxcb-render0", "libxcb"),
    Need("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil"),
    Need("libxcb-shape.so.0", "libxcb-shape0", "libxcb"),
    Need("libxcb-shm.so.0", "libxcb-shm0", "libxcb"),
    Need("libxcb-sync.so.1", "libxcb-sync1", "libxcb"),
    Need("libxcb-util.so.1", "libxcb-util1", "xcb-util"),
    Need("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb"),
    Need("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb"),
    Need("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11"),
)
# What the wayland platform plugin loads on top.
WAYLAND = (
    Need("libwayland-client.so.0", "libwayland-client0", "libwayland-client"),
    Need("libwayland-cursor.so.0", "libwayland-cursor0", "libwayland-cursor"),
    Need("libwayland-egl.so.1", "libwayland-egl1", "libwayland-egl"),
)
FONT = Need("a font", "fonts-dejavu-core", "dejavu-sans-fonts")
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


def has_display() -> bool:
    """Whether a window can be shown. A platform chosen by hand (``QT_QPA_PLATFORM``) counts as a wish for one."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(v) for v in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def missing(screen: bool) -> list[Need]:
    """What cannot be loaded of what Qt needs in this process's environment, fonts included.

    `screen` adds the libraries of the platform plugin that Qt will choose: wayland when there is a Wayland screen and
    its libraries are there, else xcb.
    """
    if not sys.platform.startswith("linux"):
        return []
    lacking = _unloadable(BASE)
    if screen:
        plugins = [_unloadable(plugin) for plugin in _screen_plugins()]
        lacking += min(plugins, key=len, default=[])
    return lacking if _any_font() else [*lacking, FONT]


def _screen_plugins() -> list[tuple[Need, ...]]:
    """The needs of each platform plugin that could show the window; one whose needs are met is enough."""
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if platform:
        return {"xcb": [XCB], "wayland": [WAYLAND]}.get(platform, [])
    plugins = [(XCB, "DISPLAY"), (WAYLAND, "WAYLAND_DISPLAY")]
    return [plugin for plugin, variable in plugins if os.environ.get(variable)]


def _unloadable(needs: tuple[Need, ...]) -> list[Need]:
    return [need for need in needs if not _loadable(need.soname)]


def install_commands(lacking: list[Need], also: tuple[str, ...] = ()) -> list[list[str]]:
    """The commands of this system's package manager, ``sudo`` included where the user is not root.

    `also` holds further apt package names (the venv module is a package of its own on Debian and Ubuntu).
    Empty when the package manager is neither apt nor dnf.
    """
    geteuid = getattr(os, "geteuid", lambda: 0)
    prefix = [] if geteuid() == 0 else ["sudo"]
    if shutil.which("apt-get"):
        packages = sorted({need.apt for need in lacking} | set(also))
        return [[*prefix, "apt-get", "update"], [*prefix, "apt-get", "install", "-y", *packages]]
    if shutil.which("dnf"):
        return [[*prefix, "dnf", "install", "-y", *sorted({need.dnf for need in lacking})]]
    return []


def ensure(lacking: list[Need], also: tuple[str, ...], install: bool) -> None:
    """Install what is missing when `install`, else raise `MissingPackagesError` with the exact line that does."""
    if not lacking and not also:
        return
    names = ", ".join([*also, *(need.soname for need in lacking)])
    commands = install_commands(lacking, also)
    if not commands:
        raise MissingPackagesError(f"SiamLabel needs {names}: install what brings them, then start again.")
    line = " && ".join(" ".join(command) for command in commands)
    if not install:
        raise MissingPackagesError(f"SiamLabel needs {names}. Install with\n\n    {line}\n\nor add --system.")
    print(f"SiamLabel needs {names}: {line}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    codes = [subprocess.call(command, env=environment) for command in commands]
    if codes[-1]:  # of the install; a failing `apt-get update` (one dead extra repository) need not matter
        raise MissingPackagesError(f"{' '.join(commands[-1])} failed with exit code {codes[-1]}; see above.")


def _loadable(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def _any_font() -> bool:
    for folder in FONT_FOLDERS:
        for _, _, files in os.walk(Path(folder).expanduser()):
            if any(name.lower().endswith((".ttf", ".otf", ".ttc", ".pfb")) for name in files):
                return True
    return False
