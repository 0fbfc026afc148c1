"""``python -m docs``: every page that is made from code is current, and one that is not is told."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from docs.__main__ import main
from docs.generate import blocks, fill, pages

DAMAGE = [
    ("README.md", "| `tight` | 64 |", "| `tight` | 65 |"),
    ("docs/command.md", "Usage: wsgi-matrix run [OPTIONS]", "Usage: wsgi-matrix run"),
    (
        "docs/conformance-http1.md",
        "| R46 | RFC 9112 section 7.1 |",
        "| R46 | RFC 9110 section 7.1 |",
    ),
    ("docs/conformance-http1.md", "section 7.1 | MUST | ", "section 7.1 | SHOULD | "),
    ("docs/conformance-http1.md", " | met | 10 | `", " | met | 11 | `"),
    ("docs/conformance-http1.md", " | met | 10 | `", " | not met | 10 | `"),
    ("docs/conformance-http1.md", "`test_R3_bare_CR_is_400`", "`test_R3_bare_CR`"),
    ("docs/conformance-wsgi.md", "`test_W15_version`", "`test_W15_of_old`"),
    ("docs/conformance-wsgi.md", "| W15 | PEP 3333, environ", "| W15 | PEP 333, environ"),
    ("docs/contract.md", "| `file-end` |", "| `file-the-end` |"),
    ("docs/migrating.md", "| `on_exit` | `hooks` |", "| `on_exit` | `exit` |"),
    ("docs/migrating.md", "| `include` | **lost** |", "| `include` | `include` |"),
    ("docs/options.md", "`ONEGATE_LOG_LEVEL`", "`ONEGATE_LEVEL`"),
    ("docs/rules.md", "| W2 | MUST |", "| W2 | MAY |"),
    ("docs/try.md", "| `fds256` | 256 |", "| `fds256` | 257 |"),
]
"""Of each page a text of a generated part, and what it is changed to."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The pages of this repository, to be damaged."""
    for name in {*pages.PAGES, *(each.page for each in pages.RESULTS)}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pages.ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", pages.PAGES)
def test_the_page_is_current(name: str) -> None:
    assert pages.difference(name) == ""


def test_every_page_is_damaged_here() -> None:
    assert {name for name, _, _ in DAMAGE} >= {*pages.PAGES} - {"docs/results/grid.md"}


@pytest.mark.parametrize(("name", "old", "new"), DAMAGE)
def test_a_page_that_is_not_current_is_told_and_mended(
    name: str, old: str, new: str, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its name, what differs, and the command to run."""
    page = copy / name
    good = page.read_text("utf-8")
    assert old in good
    page.write_text(good.replace(old, new, 1), "utf-8")
    assert main(["--check", name], copy) == 1
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == f"{name} is not current; run: python -m docs {name}"
    assert any(line.startswith("-") and new in line for line in lines)
    assert any(line.startswith("+") and old in line for line in lines)
    assert main([name], copy) == 0
    assert capsys.readouterr().out == f"written: {name}\n"
    assert page.read_text("utf-8") == good
    assert (main(["--check", name], copy), capsys.readouterr().out) == (0, "")


def test_a_long_difference_is_cut(copy: Path) -> None:
    (copy / "docs/rules.md").write_text("other\n" * 200)
    *_, last = pages.difference("docs/rules.md", copy).splitlines()
    assert re.fullmatch(r"… and \d+ more lines", last)


def test_what_is_not_generated_is_left_alone(copy: Path) -> None:
    page = copy / "docs/options.md"
    page.write_text(page.read_text("utf-8").replace("# ", "# By hand: ", 1), "utf-8")
    assert pages.difference("docs/options.md", copy) == ""


def test_all_that_is_generated_is_listed(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = copy / "docs/try.md"
    page.write_text(page.read_text("utf-8").replace("| `fds256` | 256 |", "| `fds256` |"), "utf-8")
    assert main(["--list"], copy) == 0
    found = re.findall(r"(?m)^(\S+(?: \w+)?) +(\S+) +(.+)$", capsys.readouterr().out)
    listed = {where: (when, how) for where, when, how in found}
    assert set(listed) == {*pages.PAGES, *(each.where for each in pages.RESULTS)}
    assert listed["docs/try.md"] == ("stale", "python -m docs docs/try.md")
    assert listed["docs/options.md"] == ("current", "python -m docs docs/options.md")
    for each in pages.RESULTS:
        when, how = listed[each.where]
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", when)
        assert how == each.command


@pytest.mark.parametrize("result", pages.RESULTS, ids=lambda result: result.where)
def test_a_result_says_which_version_it_is_of(result: pages.Result) -> None:
    text = (pages.ROOT / result.page).read_text("utf-8")
    shown = blocks.read(text, result.block) if result.block else text
    assert re.search(r"(onegate|wsgi-matrix|Python) \d+\.\d+", shown) or "| onegate | 0." in shown


def test_a_result_without_a_date_is_an_error(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = copy / "docs/results/soak.md"
    page.write_text(re.sub(r"20\d\d-\d\d-\d\d", "today", page.read_text("utf-8")), "utf-8")
    assert main(["--list"], copy) == 1
    assert "docs/results/soak.md: it does not say when it was made" in capsys.readouterr().err


def test_a_page_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["docs/optoins.md"])
    assert ended.value.code == 2
    assert "nothing of docs/optoins.md is made from code" in capsys.readouterr().err


PAGE = "before\n<!-- a -->\nold\n<!-- /a -->\nbehind\n"


def test_a_block_is_filled_between_its_marks() -> None:
    filled = blocks.fill(PAGE, "a", "\nnew\n")
    assert filled == "before\n<!-- a -->\n\nnew\n\n<!-- /a -->\nbehind\n"
    assert blocks.fill(filled, "a", "new") == filled
    assert blocks.read(filled, "a") == "new"


@pytest.mark.parametrize(
    "page",
    [
        "nothing",
        "<!-- a -->\n",
        "<!-- /a -->\n",
        "<!-- /a -->\n<!-- a -->\n",
        PAGE + PAGE,
        PAGE.replace("a -->", "b -->"),
    ],
)
def test_a_page_without_exactly_one_such_block_is_an_error(page: str) -> None:
    with pytest.raises(blocks.BlockError, match="<!-- a --> … <!-- /a -->"):
        blocks.fill(page, "a", "new")


def test_a_page_that_has_lost_a_mark_is_named(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = copy / "docs/options.md"
    page.write_text(page.read_text("utf-8").replace("<!-- /options -->", ""), "utf-8")
    assert main(["--check"], copy) == 1
    assert "docs: docs/options.md: there is no <!-- options -->" in capsys.readouterr().err


def test_output_goes_into_the_readme_without_colours_and_with_its_origin() -> None:
    page = fill.filled(PAGE, "a", "\n\x1b[32m✔ pass\x1b[0m  \n  2 of 2\n\n")
    code, _, origin = blocks.read(page, "a").rpartition("\n\n")
    assert code == "```text\n✔ pass\n  2 of 2\n```"
    assert re.fullmatch(r"20\d\d-\d\d-\d\d, onegate \d\S+.*, wsgi-matrix \d\S+.*", origin)


@pytest.mark.parametrize(("name", "output"), [("a", " \n\n"), ("b", "something")])
def test_without_output_or_place_the_readme_is_left_alone(
    name: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(PAGE)
    monkeypatch.setattr(fill, "README", readme)
    assert fill.main(name, output) == 1
    assert readme.read_text() == PAGE
