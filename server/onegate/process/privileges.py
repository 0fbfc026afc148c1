"""User and group of a process."""

from __future__ import annotations

import grp
import os
import pwd

from onegate._record import Record
from onegate.settings_error import SettingsError

_NEEDS_ROOT = "--user and --group: only root can change them; start onegate as root"


class Identity(Record):
    """The user and group that a process should have; None: unchanged."""

    uid: int | None
    gid: int | None
    name: str
    """Of the user whose supplementary groups it should have; empty: none."""

    def is_current(self) -> bool:
        """Whether this process already runs as that user and group, and is not root."""
        same = self.uid in (None, os.getuid()) and self.gid in (None, os.getgid())
        return same and os.geteuid() != 0


def identity(user: str, group: str) -> Identity:
    """The identity that ``user`` and ``group`` name, each a name or a number, or empty.

    Raises :class:`SettingsError` if there is none, or if the process would keep root's group
    because nothing names another.
    """
    uid, name, gid = _user(user)
    if group:
        gid = _group(group)
    elif uid not in (None, os.getuid()) and gid is None:
        raise SettingsError(
            f"--user {user}: no entry in passwd(5) names its group; add --group GROUP"
        )
    return Identity(uid=uid, gid=gid, name=name)


def check(user: str, group: str) -> None:
    """Raises :class:`SettingsError` if a process like this one cannot become these."""
    if not identity(user, group).is_current() and os.geteuid() != 0:
        raise SettingsError(_NEEDS_ROOT)


def drop(user: str, group: str) -> None:
    """Become ``user`` and ``group`` for good, each a name or a number; empty: stay.

    Raises :class:`SettingsError` if there is no such one or the change is not permitted.
    """
    who = identity(user, group)
    if who.is_current():
        return
    try:
        if who.gid is not None:
            if who.name:
                os.initgroups(who.name, who.gid)
            else:
                os.setgroups([who.gid])
            os.setgid(who.gid)
        elif who.uid is not None:
            os.setgroups([])  # not those of root
        if who.uid is not None:
            os.setuid(who.uid)
    except PermissionError:
        raise SettingsError(_NEEDS_ROOT) from None


def _user(user: str) -> tuple[int | None, str, int | None]:
    if not user:
        return None, "", None
    number = _number(user)
    try:
        entry = pwd.getpwnam(user) if number is None else pwd.getpwuid(number)
    except KeyError:
        if number is not None:
            return number, "", None
        raise SettingsError(f"--user {user}: no such user") from None
    return entry.pw_uid, entry.pw_name, entry.pw_gid


def _group(group: str) -> int:
    number = _number(group)
    if number is not None:
        return number
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise SettingsError(f"--group {group}: no such group") from None


def _number(text: str) -> int | None:
    """``text`` as a uid or gid; None if it is neither. The highest number means "unchanged"
    (chown(2))."""
    if text.isascii() and text.isdecimal() and int(text) < 0xFFFFFFFF:
        return int(text)
    return None
