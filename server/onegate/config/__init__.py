"""Every option, declared once; everything else about it is derived.

A declaration (``options/``) holds name, kind, default, help, why the default is what it is, and
what the peers call it. From it follow the flag, the ``ONEGATE_`` variable, the key in a file, the
line of ``--help`` and the row in ``docs/options.md``.

    types ─► option ─► options/ ─► settings ─► arguments ┐
                                               file      ├─► sources ─► Settings, with the origin
                                               variables ┘              of every value

What runs keeps the values alone. The modules in here are given back as soon as the settings are
read (:func:`onegate.cli.forget`), so none of them is imported at run time from outside, but for
annotations and by what says why.
"""
