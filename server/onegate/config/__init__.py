"""Every option, declared once; everything else about it is derived.

A declaration (``options/``) holds name, kind, default, help, why the default is what it is, and
what the peers call it. From it follow the flag, the ``ONEGATE_`` variable, the key in a file, the
line of ``--help`` and the row in ``docs/options.md``.

    types ─► option ─► options/ ─► settings ─► arguments ┐
                                               file      ├─► sources ─► Settings, with the origin
                                               variables ┘              of every value

A running server keeps the values only. The modules in here are unloaded as soon as the settings are
read (:func:`onegate.cli.unload_config`), so no other module imports them at run time, except where
a comment says why.
"""
