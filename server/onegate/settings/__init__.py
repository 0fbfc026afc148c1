"""Every option, declared once; everything else about it is derived.

A declaration (``options/``) holds name, kind, default, help, why the default is what it is, and
what the peers call it. From it follow the flag, the ``ONEGATE_`` variable, the key in a file, the
line of ``--help`` and the row in ``docs/options.md``.

    options ─► declare ─► arguments ┐
               kinds                ├─► sources ─► Settings with the origin of every value
                          file      ┘
"""

from onegate.settings.errors import SettingsError
from onegate.settings.model import OPTIONS, Settings
from onegate.settings.sources import Loaded, load

__all__ = ["OPTIONS", "Loaded", "Settings", "SettingsError", "load"]
