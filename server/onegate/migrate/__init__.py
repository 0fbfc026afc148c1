"""Translation of other servers' configuration into onegate's.

    gunicorn.conf.py ──────► gunicorn ┐
                                      ├─► translation ─► TOML with comments, exit status
    uwsgi.ini ─► uwsgi_ini ─► uwsgi   ┘

Every setting in a file reappears: as a setting, as a comment that says why it is not needed, or as
a comment that says what is lost.
"""

from __future__ import annotations

from pathlib import Path

from onegate.migrate.gunicorn import from_gunicorn
from onegate.migrate.uwsgi import from_uwsgi

TRANSLATORS = {"from_gunicorn": from_gunicorn, "from_uwsgi": from_uwsgi}


def translate(origin: str, path: Path) -> tuple[str, bool]:
    """Translate the file ``path`` of ``origin``, a name in :data:`TRANSLATORS`, for ``--config``.

    True: something is lost that changes what is served. Raises
    :class:`onegate.SettingsError` if the file cannot be read.
    """
    translation = TRANSLATORS[origin](path)
    translation.check()
    return translation.toml(), bool(translation.lost)
