# SPDX-License-Identifier: GPL-2.0
"""Where things are. The tests of the checks move them by the environment."""

import os
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = TOP / "build"
# The built modules, flat.
MODULES = pathlib.Path(os.environ.get("CHECK_MODULES") or BUILD / "modules")
# The tree whose sources are looked at.
SOURCE = pathlib.Path(os.environ.get("CHECK_SOURCE") or TOP)
CACHE = BUILD / "check"


def release():
    """The kernel release that everything is built for."""
    return (BUILD / "release").read_text().strip()


def kernel():
    """The folder of that kernel: src, out, stock."""
    return BUILD / "kernel" / release()


def stock():
    """The folder of its stock modules."""
    return kernel() / "stock" / "lib" / "modules" / release() / "kernel"


def family():
    """The names of the stock modules that this project replaces, in order."""
    text = (TOP / "tools" / "vm" / "family.txt").read_text()
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


def sources():
    """Every file that is or may be committed, relative to SOURCE."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", SOURCE, "ls-files", "-coz", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    top = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", SOURCE, "rev-parse", "--show-cdup"],
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0 and top.returncode == 0 and not top.stdout.strip():
        names = {os.fsdecode(name) for name in listed.stdout.split(b"\0") if name}
    else:  # an unpacked archive, or a planted tree
        names = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*")}
        names = {name for name in names if name.split("/")[0] not in ("build", ".git")}
    return sorted(name for name in names if (SOURCE / name).is_file())
