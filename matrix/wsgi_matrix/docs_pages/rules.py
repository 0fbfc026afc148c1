"""``docs/rules.md``, made from the rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from wsgi_matrix.suites.conformance import http1, pep3333
from wsgi_matrix.suites.conformance.rule import OWN, Rule, Unobservable, Variant
from wsgi_matrix.suites.rules import GROUPS
from wsgi_matrix.util.markdown import table

INTRO = """\
# Conformance rules

What `wsgi-matrix run --suite conformance,slow_clients,shutdown --servers NAME` sends to a server, \
and what it accepts. Made by `make docs`; edit `matrix/wsgi_matrix/suites/` instead.

- A rule has an **id** that says what it is about, and an **alias**: the name that it has in older \
results, in [findings](findings.md) and in the tables of [conformance](conformance.md). \
`wsgi-matrix show` and `[[xfail]]` take either.
- The **sentence** is that of the standard that is cited, word for word; … stands for what is left \
out. Where the citation is *wsgi-matrix*, no standard says so.
- Each of its variants is sent once, and has to get what is **accepted**. A server that gives \
anything else breaks the rule: `fail` for MUST and SHOULD, `differ` for MAY. The octets that were \
sent and received are in the report of a run.
- Requests are well-formed and of HTTP/1.1, with `Host: localhost`, except for what is said. *The \
app* is a test application of wsgi-matrix, which reports what it was called with, or responds as \
the rule says.
"""
SECTIONS = {
    "application": "PEP 3333: the application object",
    "environ": "PEP 3333: environ",
    "input": "PEP 3333: wsgi.input",
    "errors": "PEP 3333: errors",
    "start-response": "PEP 3333: start_response()",
    "write": "PEP 3333: write()",
    "iterable": "PEP 3333: the iterable",
    "file-wrapper": "PEP 3333: wsgi.file_wrapper",
    "request-line": "HTTP/1.1: request line",
    "head": "HTTP/1.1: lines of a head",
    "method": "HTTP/1.1: methods",
    "target": "HTTP/1.1: request target",
    "host": "HTTP/1.1: Host",
    "version": "HTTP/1.1: version",
    "fields": "HTTP/1.1: fields of a request",
    "framing": "HTTP/1.1: framing of a request",
    "chunked": "HTTP/1.1: chunked transfer coding",
    "connection": "HTTP/1.1: connections",
    "response": "HTTP/1.1: responses",
    "expect": "HTTP/1.1: Expect",
    "upgrade": "HTTP/1.1: Upgrade",
    "smuggling": "Published attacks: request smuggling",
    "silent": "Slow clients: silent",
    "half-head": "Slow clients: half a head",
    "trickled-head": "Slow clients: a trickled head",
    "half-body": "Slow clients: half a content",
    "trickled-body": "Slow clients: a trickled content",
    "idle": "Slow clients: idle connections",
    "slow-reader": "Slow clients: no reading",
    "stop": "Stop signal",
    "reload": "Reload",
}
"""Titles by the first part of a rule's id, in the order of the page."""


NOTES = {
    "smuggling": "Each request hides another one, a GET for /smuggled. A server that responds to "
    "that has been misled about where the first one ends.",
    "silent": "One worker, 32 slow clients of one kind, more than any server here has threads, and "
    "then 8 ordinary ones. Slow connections are watched for 80 s.",
    "stop": "One worker. The app itself sends the signal while its response is in flight.",
}
"""What has to be known before the rules of a section."""


def render() -> str:
    """The whole document."""
    rules = [rule for group in GROUPS.values() for rule in group]
    parts = [INTRO, "## Index\n", _index(rules)]
    for section, title in SECTIONS.items():
        parts.append(f"## {escaped(title)}\n")
        if section in NOTES:
            parts.append(f"{NOTES[section]}\n")
        parts += [_rule(rule) for rule in rules if _section(rule) == section]
    unobservable = [*pep3333.UNOBSERVABLE, *http1.UNOBSERVABLE]
    parts += ["## Rules that cannot be observed from outside\n", _unobservable(unobservable)]
    return "\n".join(parts)


def _section(rule: Rule) -> str:
    return rule.id.partition("/")[0]


def _index(rules: Sequence[Rule]) -> str:
    rows = [
        [f"[`{rule.id}`](#{rule.id})", rule.alias, rule.level.value, escaped(rule.title)]
        for section in SECTIONS
        for rule in rules
        if _section(rule) == section
    ]
    return table(["id", "alias", "level", "title"], rows)


def _anchors(rule: Rule | Unobservable) -> str:
    return "".join(f'<a id="{name}"></a>' for name in (rule.id, rule.alias) if name)


def _rule(rule: Rule) -> str:
    quote = escaped(rule.text) if rule.cite == OWN else f"> {escaped(rule.text)}"
    return "\n".join(
        [
            _anchors(rule),
            "",
            f"### {escaped(rule.title)}",
            "",
            " · ".join(filter(None, (f"`{rule.id}`", rule.alias, rule.level, escaped(rule.cite)))),
            "",
            quote,
            "",
            *_variants(rule.variants),
        ]
    )


def _variants(variants: Iterable[Variant]) -> Iterator[str]:
    """What is sent and what is accepted; variants that expect the same stand together."""
    groups: dict[str, list[Variant]] = {}
    for each in variants:
        groups.setdefault(each.expects.description, []).append(each)
    for expected, same in groups.items():
        yield "Sent:"
        yield ""
        for each in same:
            name = f"`{each.name}`: " if each.name else ""
            yield f"- {name}{escaped(each.sends)}"
        yield ""
        yield f"Accepted: {escaped(expected)}."
        yield ""


def _unobservable(rules: Sequence[Unobservable]) -> str:
    cells = [
        [
            f"{_anchors(each)}`{each.id}`",
            each.alias,
            each.level.value,
            each.cite,
            escaped(each.title),
            escaped(each.why),
        ]
        for each in rules
    ]
    return table(["id", "alias", "level", "cited", "title", "why"], cells)


def escaped(text: str) -> str:
    """``text`` without anything that Markdown would take for its own."""
    return re.sub(r"[*`<|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\\g<0>", text)


def rows() -> dict[str, Rule | Unobservable]:
    """The rules that the conformance tables have as rows, by their aliases."""
    rules: list[Rule | Unobservable] = [*pep3333.RULES, *pep3333.LAST, *http1.RULES]
    rules += [*pep3333.UNOBSERVABLE, *http1.UNOBSERVABLE]
    return {each.alias: each for each in rules if each.alias}
