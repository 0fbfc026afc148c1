"""Who a process is: user and group."""

from __future__ import annotations

import grp
import os
import pwd

from onegate.settings import SettingsError


def drop(user: str, group: str) -> None:
    """Become ``user`` and ``group`` for good, each a name or a number; empty: stay.

    Raises :class:`SettingsError` if there is no such one or the change is not permitted.
    """
    uid, name, gid = _user(user)
    if group:
        gid = _group(group)
    try:
        if gid is not None:
            if name:
                os.initgroups(name, gid)
            else:
                os.setgroups([gid])
            os.setgid(gid)
        if uid is not None:
            os.setuid(uid)
    except PermissionError:
        raise SettingsError("--user and --group need a server that is started as root") from None


def _user(user: str) -> tuple[int | None, str, int | None]:
    if not user:
        return None, "", None
    try:
        entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        if user.isdigit():
            return int(user), "", None
        raise SettingsError(f"--user {user}: there is no such user") from None
    return entry.pw_uid, entry.pw_name, entry.pw_gid


def _group(group: str) -> int:
    if group.isdigit():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise SettingsError(f"--group {group}: there is no such group") from None
