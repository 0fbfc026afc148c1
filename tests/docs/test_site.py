"""The site of the manual: built strictly; its front page is the grid, and opens to the cases."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from docs.generate import grid
from docs.site import ROOT, check
from tests.docs.conftest import Build

slow = pytest.mark.slow


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


@slow
def test_every_page_of_the_repository_is_in_it_and_in_the_menu(site: Path) -> None:
    """Sphinx warns of one in no menu, and a warning fails the build."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert len(pages) > 30
    menu = text_of(site / "index.html")
    for page in pages:
        name = page.relative_to(ROOT).with_suffix(".html").as_posix()
        assert (site / name).is_file()
        assert f'href="{name}"' in menu


@slow
def test_links_lead_out_of_docs_and_back(site: Path) -> None:
    own_app = text_of(site / "docs/try.html")
    assert 'href="../README.html#exit-codes-of-wsgi-matrix"' in own_app
    assert 'id="exit-codes-of-wsgi-matrix"' in text_of(site / "README.html")
    assert 'href="docs/options.html"' in text_of(site / "README.html")


@slow
def test_a_file_that_is_no_page_becomes_one(site: Path) -> None:
    lesson = text_of(site / "docs/lessons/04-fork.html")
    assert 'href="../../files/lessons/lesson04_fork.py.html"' in lesson
    shown = html.unescape(
        re.sub(r"<[^>]+>", "", text_of(site / "files/lessons/lesson04_fork.py.html"))
    )
    assert (ROOT / "lessons/lesson04_fork.py").read_text("utf-8").strip() in shown


@slow
def test_a_directory_becomes_a_list_of_its_files(site: Path) -> None:
    assert 'href="../files/peers.html"' in text_of(site / "docs/try.html")
    listed = text_of(site / "files/peers.html")
    for server in ("gunicorn", "uwsgi"):
        assert f'href="peers/{server}/server.toml.html"' in listed
        assert (site / f"files/peers/{server}/server.toml.html").is_file()


@slow
def test_the_front_page_has_a_square_for_each_server_and_framework(
    site: Path, small: grid.Value
) -> None:
    front = text_of(site / "index.html")
    squares = set(re.findall(r'<td class="\w+">\s*<a href="grid/(\w+)\.html#(\w+)"', front))
    suites = {"rules"}
    assert squares == {
        (cell["server"], cell["suite"] if cell["suite"] in suites else cell["app"])
        for cell in small["cells"]
    }
    for server, name in squares:
        assert f'<section id="{name}">' in text_of(site / f"grid/{server}.html")


@slow
def test_a_square_opens_to_all_of_its_cases(site: Path, small: grid.Value) -> None:
    for cell in small["cells"]:
        page = text_of(site / f"grid/{cell['server']}.html")
        [found] = re.findall(rf'(?s)<details class="[^>]* id="{cell["id"]}".*?</details>', page)
        cases = re.findall(r'<td class="(\w+)">[^<]*</td><th scope="row"><code>([^<]*)<', found)
        assert sorted(cases) == sorted((each["outcome"], each["id"]) for each in cell["checks"])


@slow
def test_what_a_server_said_is_text(site: Path) -> None:
    page = text_of(site / "grid/onegate.html")
    assert "&lt;/script&gt;&lt;b&gt;because&lt;/b&gt;" in page
    assert "<b>because" not in page
    assert "the body is &lt;Hello&gt; &amp; nothing else" in page


PAGES = {
    "docs/site/contents.rst": "Contents\n========\n\n.. toctree::\n\n   /a\n   /b\n",
    "a.md": "# A\n\nSee [B](b.md#part) and [its file](b.md).\n",
    "b.md": "# B\n\n## Part\n",
}


@slow
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"a.md": "# A\n\n[gone](c.md)\n"}, "'c.md'"),
        ({"a.md": "# A\n\n[gone](../LICENCE)\n"}, "'../LICENCE'"),
        ({"a.md": "# A\n\n[B](b.md#parts)\n"}, "'parts'"),
        ({"a.md": "# A\n\n[here](#elsewhere)\n"}, "'elsewhere'"),
        ({"a.md": "# A\n\n![picture](none.png)\n"}, "none.png"),
        ({"orphan.md": "# In no menu\n"}, "orphan.md: WARNING: document isn't included"),
    ],
    ids=["page", "file", "anchor", "own anchor", "picture", "orphan"],
)
def test_what_is_broken_fails_the_build(
    damage: dict[str, str], said: str, build: Build, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    for name, text in (PAGES | damage).items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    done = build(tmp_path / "site", "--source", source)
    assert done.returncode == 1
    assert said in done.stderr
    assert "built:" not in done.stdout


@slow
def test_the_pages_that_are_broken_above_are_whole_before(build: Build, tmp_path: Path) -> None:
    """But for what the front page links to, which is of this repository."""
    for name, text in PAGES.items():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_text(text)
    done = build(tmp_path / "site", "--source", tmp_path / "source")
    assert done.stderr == ""
    faults = done.stdout.splitlines()
    assert all(line.startswith("index.html: ") for line in faults), faults


FRONT = '<h1 id="top">Front</h1><a href="b.html">b</a>'
SECOND = '<a href="index.html#top">back</a><a name="here"></a>'


def of_site(directory: Path, **pages: str) -> list[str]:
    """Faults of a site of two pages that link to each other, with something changed."""
    for name, text in ({"index": FRONT, "b": SECOND} | pages).items():
        (directory / f"{name}.html").write_text(text)
    return check.faults(directory)


def test_a_site_without_faults(tmp_path: Path) -> None:
    (tmp_path / "x y.png").touch()
    (tmp_path / "search.html").touch()
    (tmp_path / "s.css").write_text(
        "@font-face { src: url(data:x) } i { background: url('x y.png')}"
    )
    more = (
        '<a href="b.html#here">b</a> <a href="#top">up</a> <a href="https://example.org/">out</a>'
        '<img src="x%20y.png"> <link rel="stylesheet" href="s.css?v=1"> <img src="data:,">'
    )
    assert of_site(tmp_path, index=FRONT + more) == []


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ('<a href="c.html">c</a>', "index.html: c.html: there is no c.html"),
        ('<a href="b.html#no">b</a>', "index.html: b.html#no: there is no #no in b.html"),
        ('<a href="#no">no</a>', "index.html: #no: there is no #no in index.html"),
        ('<img src="none.png">', "index.html: loads none.png, which is not there"),
        *(
            (text, f"index.html: loads {url} from the network")
            for url in ("https://cdn.example/x", "//cdn.example/x")
            for text in (
                f'<script src="{url}"></script>',
                f'<link rel="stylesheet" href="{url}">',
                f'<img src="{url}">',
                f'<p style="background: url({url})">',
            )
        ),
    ],
)
def test_a_fault_of_a_page_is_told(more: str, fault: str, tmp_path: Path) -> None:
    assert of_site(tmp_path, index=FRONT + more) == [fault]


@pytest.mark.parametrize("style", ["@import 'https://f.example/'", "url(https://f.example/)"])
def test_a_font_of_the_network_is_told(style: str, tmp_path: Path) -> None:
    (tmp_path / "s.css").write_text(style)
    assert of_site(tmp_path) == ["s.css: loads https://f.example/ from the network"]


def test_a_page_that_nobody_gets_to_is_told(tmp_path: Path) -> None:
    alone = '<a href="c.html">myself</a> <a href="b.html">b</a>'
    assert of_site(tmp_path, c=alone) == ["c.html: no link from index.html leads there"]


def test_what_builds_the_site_is_locked() -> None:
    text = (ROOT / "docs/site/requirements.txt").read_text("utf-8")
    assert "://" not in text
    pins = re.findall(r"(?m)^[\w.-]+==[\w.]+.*(?:\n .*)*", text)
    assert len(pins) == len(re.findall(r"(?m)^\w", text)) > 10
    assert all("--hash=sha256:" in pin for pin in pins)
    wanted = re.findall(r"(?m)^[\w-]+", (ROOT / "docs/site/requirements.in").read_text("utf-8"))
    assert wanted
    assert all(re.search(rf"(?m)^{name}==", text) for name in wanted)
