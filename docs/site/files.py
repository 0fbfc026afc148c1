"""Links to files of the repository that are no pages: each gets one, with its text.

A directory gets a page that lists its files, each with a page of its own. And links to places
within a page that it names itself, ``<a id="…">``, which GitHub knows and MyST does not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.application import Sphinx

_ID = re.compile(r'<a id="([^"]+)">')
Page = tuple[str, dict[str, Any], str]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    # Before Sphinx copies what it takes for downloads (priority 500).
    app.connect("doctree-read", link, priority=400)
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": False}


def link(app: Sphinx, doctree: nodes.document) -> None:
    """Let links to files and directories lead to their pages."""
    found: list[nodes.Element] = [
        *doctree.findall(addnodes.download_reference),
        *(each for each in doctree.findall(addnodes.pending_xref) if not each["refdomain"]),
    ]
    wanted: set[str] = app.env.__dict__.setdefault("linked_files", set())
    named = {name for raw in doctree.findall(nodes.raw) for name in _ID.findall(raw.astext())}
    for node in found:
        if node["reftarget"] in named:
            new = nodes.reference("", "", *node.children, refuri="#" + node["reftarget"])
            node.replace_self(new)
            continue
        _, absolute = app.env.relfn2path(node["reftarget"], app.env.docname)
        if not Path(absolute).exists():
            continue  # Sphinx warns
        path = os.path.relpath(absolute, app.srcdir)
        wanted.add(path)
        uri = app.builder.get_relative_uri(app.env.docname, _page(path))
        new = nodes.reference("", "", *node.children, refuri=uri, internal=True)
        node.replace_self(new)


def pages(app: Sphinx) -> Iterator[Page]:
    """The pages of all files that are linked to."""
    waiting = sorted(app.env.__dict__.get("linked_files", ()))
    made: set[str] = set()
    for path in waiting:
        if path in made:
            continue
        made.add(path)
        file = Path(app.srcdir, path)
        body = _directory(app, path, waiting) if file.is_dir() else _file(app, file)
        context = {"title": path, "body": f"<h1>{escape(path)}</h1>\n{body}"}
        yield _page(path), context, "page.html"


def _page(path: str) -> str:
    return f"files/{path}"


def _directory(app: Sphinx, path: str, waiting: list[str]) -> str:
    """Links to all files in it, which are added to those that are ``waiting``."""
    lines = []
    for top, directories, names in os.walk(Path(app.srcdir, path)):
        directories[:] = sorted(each for each in directories if each != "__pycache__")
        for name in sorted(names):
            file = os.path.relpath(Path(top, name), app.srcdir)
            waiting.append(file)
            uri = app.builder.get_relative_uri(_page(path), _page(file))
            lines.append(f'<li><a href="{escape(uri)}">{escape(os.path.relpath(file, path))}</a>')
    return "<ul>" + "\n".join(lines) + "</ul>"


def _file(app: Sphinx, file: Path) -> str:
    text = file.read_text("utf-8")
    try:
        language = get_lexer_for_filename(file.name, text).aliases[0]
    except (ClassNotFound, IndexError):
        language = "text"
    builder: Any = app.builder  # of HTML, which alone has a highlighter
    shown: str = builder.highlighter.highlight_block(text, language)
    return shown
