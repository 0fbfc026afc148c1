"""What a built site must not have: dead links, pages nobody gets to, anything of the network."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

LINKS = {"a": "href", "area": "href"}
LOADED = {
    **{"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"},
    **{"audio": "src", "video": "src", "embed": "src", "object": "data", "use": "href"},
}
IN_STYLES = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
FRONT = "index.html"
BY_THEMSELVES = {"search.html"}
"""Pages that a form leads to."""


@dataclass
class Page(HTMLParser):
    """What a page has: names to link to, links, and what a browser loads for it."""

    names: set[str] = field(default_factory=lambda: {"", "top"})
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        values = {name: value or "" for name, value in attrs}
        self.names |= {values[key] for key in ("id", "name") if key in values}
        if (name := LINKS.get(tag, "")) in values:
            self.links.append(values[name])
        if (name := LOADED.get(tag, "")) in values:
            self.loaded.append(values[name])
        if "style" in values:
            self.loaded += _urls(values["style"])


def faults(site: Path) -> list[str]:
    """One line for each fault of the site in the directory ``site``; empty if it has none."""
    pages: dict[str, Page] = {}
    for path in sorted(site.rglob("*.html")):
        page = Page()
        page.feed(path.read_text("utf-8"))
        pages[path.relative_to(site).as_posix()] = page
    found: list[str] = []
    reached: dict[str, set[str]] = {}
    for name, page in pages.items():
        reached[name] = set()
        for url in page.links:
            if _is_elsewhere(url):
                continue
            target, fragment = _target(name, url)
            if target in pages:
                reached[name].add(target)
                if fragment not in pages[target].names:
                    found.append(f"{name}: {url}: there is no #{fragment} in {target}")
            elif not (site / target).is_file():
                found.append(f"{name}: {url}: there is no {target}")
        found += _of_network(site, name, page.loaded)
    for path in sorted(site.rglob("*.css")):
        name = path.relative_to(site).as_posix()
        found += _of_network(site, name, _urls(path.read_text("utf-8")))
    return found + _orphans(reached)


def _urls(style: str) -> list[str]:
    return [first or second for first, second in IN_STYLES.findall(style)]


def _is_elsewhere(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https", "mailto")


def _target(name: str, url: str) -> tuple[str, str]:
    """The file and the fragment that ``url`` in ``name`` means."""
    path, fragment = urldefrag(urljoin(f"/{name}", url))
    return unquote(urlsplit(path).path).removeprefix("/"), unquote(fragment)


def _of_network(site: Path, name: str, urls: list[str]) -> list[str]:
    """What a browser would load for ``name`` that the site itself does not have."""
    found = []
    for url in urls:
        if url.startswith(("data:", "#")):
            continue
        if urlsplit(url).scheme or url.startswith("//"):
            found.append(f"{name}: loads {url} from the network")
        elif not (site / _target(name, url)[0]).is_file():
            found.append(f"{name}: loads {url}, which is not there")
    return found


def _orphans(reached: dict[str, set[str]]) -> list[str]:
    """Pages that no links lead to from the front page."""
    there, waiting = {FRONT, *BY_THEMSELVES}, [FRONT]
    while waiting:
        new = reached.get(waiting.pop(), set()) - there
        there |= new
        waiting += new
    return [f"{name}: no link from {FRONT} leads there" for name in reached if name not in there]
