"""Whose a site's files are: its service's user's, who owns the folder that they lie in.

Rule: what root writes there is given to that owner, or the service could not open it; and whoever is kept out is told
as whom to come back.
"""

import contextlib
import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path


def hand_over(files: Iterable[Path], *folders: Path) -> None:
    """Gives root's own files among these to the owner of the first folder that is not root's; for root only."""
    owner = another_owner(*folders)
    if owner is None:
        return
    for file in files:
        with contextlib.suppress(OSError):  # not written, or on a disk without owners
            found = file.lstat()
            # No link is followed: the folder is another's, who may have put one there.
            if found.st_uid == 0 and stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)


def another_owner(*folders: Path) -> os.stat_result | None:
    """Of the first folder that is not root's, asked by root; else None."""
    if os.geteuid() != 0:
        return None
    owners = (_stat(folder) for folder in folders)
    return next((owner for owner in owners if owner is not None and owner.st_uid != 0), None)


def is_kept_from_us(folder: Path) -> bool:
    """Whether this user may not write into a folder of another's."""
    found = _stat(folder)
    mine = found is None or found.st_uid == os.geteuid()
    return not mine and not os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def kept_out(path: Path) -> str:
    """What to tell a user who may not use this, with the way in."""
    place = next((each for each in (path, *path.absolute().parents) if _stat(each) is not None), path)
    found = _stat(place)
    if found is None or found.st_uid == os.geteuid():
        return f"{path}: permission denied; look at its mode"
    user = name_of(found.st_uid)
    return f"{place} is for {user} only; run this as that user: {as_user(user)}"


def as_user(user: str) -> str:
    """How a command is begun for that."""
    return "sudo …" if user == "root" else f"sudo -u {user} …"


def name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"  # as sudo writes it


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
