"""Made-up runs, as large as the full grid gets, and with what a hostile server may send."""

from __future__ import annotations

import random
from pathlib import Path

from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.model.outcome_semantics import overall
from wsgi_matrix.model.results import CaseResult, CellResult, Image, Level, Observed, Outcome, Run
from wsgi_matrix.model.wire import Exchange, Transcript, WireEvent

SERVERS = (
    *("onegate", "gunicorn", "uwsgi", "waitress", "cheroot", "bjoern", "mod_wsgi"),
    *("gevent", "eventlet", "hypercorn", "meinheld", "twisted", "wsgiref", "werkzeug"),
)
APPS = ["flask", "django", "pyramid", "bottle", "falcon", "wsgi"]
HOSTILE = (
    b"HTTP/1.1 200 OK\r\nX-Quote: \"'><img src=x onerror=alert(1)>\r\nContent-Length: 64\r\n\r\n"
    b"</script><script>document.title='owned'</script><!-- "
    b"\x00\xff\xfe\xc3( {{7*7}} & &amp; \x1b[31m"
)


def run_of(*results: CellResult) -> Run:
    """A run of made-up results."""
    return Run(
        engine="docker",
        engine_version="28.0",
        kernel="Linux 6.1",
        started="2026-11-23T16:00:00Z",
        seconds=61.5,
        phases={"images": 20.0, "bundles": 1.5, "cells": 40.0},
        cells=results,
        where="containers of Docker, made up for a test",
        suites=tuple(dict.fromkeys(result.cell.suite for result in results)),
        notes=("answers are compared after rules", "</script> is a note as any other"),
    )


def result(
    server: str,
    app: str,
    suite: str,
    checks: list[CaseResult],
    *,
    limits: str = "default",
    python: str = "3.11",
    seconds: float = 1.5,
    **evidence,
) -> CellResult:
    """A made-up result; its outcome follows from its checks."""
    cell = Cell(
        server=Server(name=server, context=Path(), args=()),
        app=App(name=app, path=Path()),
        limits=Limits(name=limits, nofile=256),
        python=Python(version=python),
        suite=suite,
    )
    image = Image(id="sha256:" + "a" * 64, server_layer="sha256:" + "c" * 64, base="debian")
    return CellResult(
        cell=cell,
        outcome=overall(tuple(checks)),
        checks=tuple(checks),
        seconds=seconds,
        image=image,
        framework_version="3.1",
        observed=Observed(nofile=256),
        **evidence,
    )


def answer(server: str, app: str, number: int, chance: random.Random) -> bytes:
    """An answer of about a kilobyte, with a page of its own and what is never twice the same."""
    body = f"<h1>{app} {number}</h1>\n" + "\n".join(
        f"<p id=p{line}>{chance.choice(('a line', 'another', server))} {number * line}</p>"
        for line in range(18)
    )
    head = (
        f"HTTP/1.1 200 OK\r\nServer: {server}/1.{number}\r\n"
        f"Date: Mon, 23 Nov 2026 16:00:{chance.randrange(60):02} GMT\r\n"
        f"Set-Cookie: id={chance.getrandbits(64):016x}; Path=/\r\n"
        f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def contract_cell(server: str, app: str, chance: random.Random) -> CellResult:
    """Seventy exchanges; each is judged, and compared with another app and another server."""
    checks, exchanges = [CaseResult(id="start", level=Level.MUST, outcome=Outcome.PASS)], {}
    for number in range(70):
        name, target = f"exchange-{number}", f"/path/{number}"
        request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode()
        raw = answer(server, app, number, chance)
        exchanges[name] = Exchange(request=request, response=raw, seconds=chance.random() / 50)
        for suffix, against in (
            ("", ""),
            (":apps", f"{server}-wsgi-default-py311-contract"),
            (":servers", f"onegate-{app}-default-py311-contract"),
        ):
            if against == f"{server}-{app}-default-py311-contract":
                continue
            bad = bool(suffix) and chance.random() < 0.02 and server != "onegate"
            detail = f"a field differs\nthere ({against}): {raw[:300]!r}\nhere: {raw[:300]!r}"
            checks.append(
                CaseResult(
                    id=name + suffix,
                    level=Level.MAY if suffix else Level.MUST,
                    outcome=Outcome.DIFFER if bad else Outcome.PASS,
                    detail=detail if bad else "",
                    says=f"GET {target} has the expected response",
                    cite="" if suffix else "RFC 9110 section 9.3.1",
                    evidence=(name,),
                    against=against,
                )
            )
    seconds = 2 + chance.random()
    return result(server, app, "contract", checks, seconds=seconds, exchanges=exchanges)


def rules_cell(server: str, chance: random.Random, count: int = 170) -> CellResult:
    """Rules with their scenarios; some servers break a few of them."""
    checks, transcripts = [], {}
    for number in range(count):
        name = f"R{number}"
        level = (Level.MUST, Level.MUST, Level.SHOULD, Level.MAY)[number % 4]
        bad = server != "onegate" and chance.random() < 0.06
        broken = Outcome.DIFFER if level is Level.MAY else Outcome.FAIL
        status = b"200 OK" if bad else b"400 Bad Request"
        lines = (
            WireEvent(
                at=0.0, on="a", what="sent", data=f"GET /{number} HTTP/1.1\r\nHost\r\n\r\n".encode()
            ),
            WireEvent(
                at=chance.random() / 100,
                on="a",
                what="received",
                data=b"HTTP/1.1 " + status + b"\r\nServer: " + server.encode() + b"\r\n\r\n",
            ),
            WireEvent(at=0.5, on="a", what="timeout" if bad else "fin"),
        )
        transcripts[name] = Transcript(name=name, events=lines)
        checks.append(
            CaseResult(
                id=name,
                level=level,
                outcome=broken if bad else Outcome.PASS,
                detail=f"{name}: status 200\n  accepted: 400, and the connection is closed"
                if bad
                else "",
                says=f"Rule {number}: a field line without a colon is refused, and what it says is "
                "long enough to fill a line of the report",
                cite=f"RFC 9112 section {number // 20 + 2}.{number % 9 + 1}",
                evidence=(name,),
            )
        )
    return result(
        server,
        "conformance",
        "conformance",
        checks,
        seconds=4 + chance.random(),
        transcripts=transcripts,
    )


def full_grid() -> Run:
    """14 servers × 6 apps of the contract, and 14 cells of 170 rules."""
    chance = random.Random(7)
    contract = [contract_cell(server, app, chance) for server in SERVERS for app in APPS]
    return run_of(*contract, *(rules_cell(server, chance) for server in SERVERS))


def small() -> Run:
    """Two servers, three apps, every outcome, and one answer that means harm."""
    chance = random.Random(3)
    cells = [contract_cell(server, app, chance) for server in SERVERS[:2] for app in APPS[-3:]]
    cells += [rules_cell(server, chance, 12) for server in SERVERS[:3]]
    sent = b"GET /hostile HTTP/1.1\r\nHost: localhost\r\n\r\n"
    evidence = {"hello": Exchange(request=sent, response=HOSTILE, seconds=0.1, end="fin")}
    for name, outcome in zip(APPS, Outcome, strict=True):
        check = CaseResult(
            id="hello-response",
            level=Level.MUST,
            outcome=outcome,
            detail="</script><b>because</b> \x00 \x1b[31m" if outcome != "pass" else "",
            says="the body is <Hello> & nothing else",
            evidence=("hello",),
        )
        cells.append(result("onegate", name, "hello", [check], exchanges=evidence))
    return run_of(*cells)


def many(count: int = 1000) -> Run:
    """So many cells of two exchanges each: servers × apps × limits."""
    chance = random.Random(5)
    cells = []
    for number in range(count):
        server, rest = SERVERS[number % 10], number // 10
        raw = answer(server, "app", number % 7, chance)
        outcome = Outcome.FAIL if number % 97 == 0 else Outcome.PASS
        checks = [
            CaseResult(
                id=name, level=Level.MUST, outcome=outcome, says=f"{name} answers", evidence=(name,)
            )
            for name in ("hello", "framework")
        ]
        exchange = Exchange(request=b"GET / HTTP/1.1\r\n\r\n", response=raw, seconds=0.1)
        exchanges = {"hello": exchange, "framework": exchange}
        limits, app = f"limit{rest // 10}", APPS[0] + str(rest % 10)
        cells.append(result(server, app, "hello", checks, limits=limits, exchanges=exchanges))
    return run_of(*cells)
