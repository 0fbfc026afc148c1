"""JUnit XML as pytest writes it (xunit2): a suite for each cell, a case for each check.

Differences are failures of the type ``differ``, known ones are skips of the type ``xfail``; the
outcome of the cell itself is a property of its suite.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from wsgi_matrix.engines.registry import has_images
from wsgi_matrix.model.results import CaseResult, CellResult, Outcome
from wsgi_matrix.reports import http_status_counts, summary
from wsgi_matrix.reports.api import Report
from wsgi_matrix.results.results_json import run_of

_TAGS = {
    Outcome.FAIL: "failure",
    Outcome.DIFFER: "failure",
    Outcome.ERROR: "error",
    Outcome.XFAIL: "skipped",
    Outcome.SKIP: "skipped",
}
_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}
_ILLEGAL = re.compile(
    r"[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]"
)
"""What is not a Char of XML 1.0 (section 2.2) or is discouraged there; parsers would drop CR."""


def render(value: dict[str, Any]) -> str:
    """The report for a value of ``results.json`` as one XML document."""
    run = run_of(value)
    root = ET.Element("testsuites", name=_text(f"wsgi-matrix {summary(run)}"))
    for result in run.cells:
        root.append(_suite(result, run.started, run.engine))
    _total(root, [check for result in run.cells for check in result.checks])
    del root.attrib["skipped"]  # only allowed for suites by the schema
    root.set("time", f"{run.seconds:.3f}")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(result: CellResult, started: str, engine: str) -> ET.Element:
    cell = result.cell
    suite = ET.Element("testsuite", name=_text(cell.id))
    _total(suite, result.checks)
    suite.set("time", f"{result.seconds:.3f}")
    suite.set("timestamp", started.removesuffix("Z"))
    properties = ET.SubElement(suite, "properties")
    for name, text in (
        ("outcome", result.outcome.value),
        ("suite", cell.suite),
        ("server", cell.server.name),
        ("app", cell.app.name),
        ("limits", cell.limits.name),
        ("python", cell.python.version),
        ("image" if has_images(engine) else "source", result.image.id if result.image else ""),
        ("responses", http_status_counts.counted(result)),
        ("warning", http_status_counts.warning(result)),
    ):
        ET.SubElement(properties, "property", name=name, value=_text(text))
    for check in result.checks:
        suite.append(_case(result, check))
    if result.log:
        ET.SubElement(suite, "system-out").text = _text(result.log)
    return suite


def _case(result: CellResult, check: CaseResult) -> ET.Element:
    # Only the cell as a whole is timed; its time is that of the check `start`.
    seconds = result.seconds if check is result.checks[0] else 0.0
    case = ET.Element(
        "testcase",
        classname=_text(result.cell.id),
        name=_text(check.name),
        time=f"{seconds:.3f}",
    )
    if check.status is not None:
        properties = ET.SubElement(case, "properties")
        ET.SubElement(properties, "property", name="status", value=str(check.status))
        if check.recorded is not None:
            ET.SubElement(properties, "property", name="recorded", value=str(check.recorded))
    tag = _TAGS.get(check.outcome)
    if tag is None:
        return case
    message = check.detail.partition("\n")[0] or check.title or check.says or check.outcome.value
    told = ET.SubElement(case, tag, type=check.outcome.value, message=_text(message))
    rule = f"{check.level.value} {check.says}" + (f" ({check.cite})" if check.cite else "")
    lines = [check.title, rule if check.says else "", check.explanation()]
    told.text = _text("\n".join(filter(None, lines)))
    return case


def _total(element: ET.Element, checks: tuple[CaseResult, ...] | list[CaseResult]) -> None:
    tags = [_TAGS.get(check.outcome) for check in checks]
    element.set("tests", str(len(tags)))
    for tag, name in _COUNTED.items():
        element.set(name, str(tags.count(tag)))


def _text(text: str) -> str:
    """``text`` with characters that XML cannot contain as ``#x00``, as pytest does."""
    return _ILLEGAL.sub(lambda found: f"#x{ord(found[0]):02X}", text)


REPORT = Report(name="junit", file="junit.xml", render=render)
