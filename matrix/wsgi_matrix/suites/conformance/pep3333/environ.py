"""The environ and its variables: W1 to W22."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.parsed_transcript import hear
from wsgi_matrix.suites.conformance.pep3333.inspector import GET, ask, both, facts, pep, twice
from wsgi_matrix.suites.conformance.rule import CLIENT_ERRORS, Accept, Rule, Try, answer, either
from wsgi_matrix.suites.conformance.steps import request, responses, send

HIGH = "\u00e9\u00ff"
VARIABLES = pep("environ Variables")
CGI = re.compile(
    # RFC 3875 section 4.1, then what Apache httpd gives to CGI programs besides, and RAW_URI, which
    # servers of WSGI have agreed on and frameworks look for.
    r"AUTH_TYPE|CONTENT_LENGTH|CONTENT_TYPE|GATEWAY_INTERFACE|PATH_INFO|PATH_TRANSLATED"
    r"|QUERY_STRING|REMOTE_ADDR|REMOTE_HOST|REMOTE_IDENT|REMOTE_USER|REQUEST_METHOD|SCRIPT_NAME"
    r"|SERVER_NAME|SERVER_PORT|SERVER_PROTOCOL|SERVER_SOFTWARE|HTTP_\w+"
    r"|CONTEXT_DOCUMENT_ROOT|CONTEXT_PREFIX|DOCUMENT_ROOT|HTTPS|REMOTE_PORT|REQUEST_SCHEME"
    r"|REQUEST_URI|SCRIPT_FILENAME|SERVER_ADDR|SERVER_ADMIN|SERVER_SIGNATURE|UNIQUE_ID|SSL_\w+"
    r"|RAW_URI"
)
EXTENSION = re.compile(r"[a-z0-9_]+\.[a-z0-9._]+")
HOST = re.compile(r"\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+")


def text(says: str, **wanted: Callable[[str | None], bool]) -> Accept:
    """Variables whose values are as they have to be."""

    def check(told: Any) -> str:
        for name, right in wanted.items():
            value = told["text"].get(name)
            if not right(value):
                return f"{name} is {value!r}"
        return ""

    return facts(says, check)


def exactly(*values: str | None) -> Callable[[str | None], bool]:
    """One of these."""
    return lambda value: value in values


def _fact(name: str, says: str, right: Callable[[Any], bool]) -> Accept:
    return facts(says, lambda told: "" if right(told[name]) else f"{name}: {told[name]!r}")


def _never_marked() -> Accept:
    def fault(transcript: Transcript) -> str:
        found = hear(transcript, [GET, GET]).answers
        if not found:
            return "no answer"
        marked = [heard.json()["marked"] for heard in found if heard.status == 200]
        return "" if marked and not any(marked) else f"a mark of an earlier call: {marked}"

    return Accept("no call sees what an earlier one has put into its environ", fault)


def _own_names(told: Any) -> str:
    wrong = [name for name in told["own"] if not (CGI.fullmatch(name) or EXTENSION.fullmatch(name))]
    return f"named otherwise: {', '.join(wrong)}" if wrong else ""


def _fields(told: Any) -> str:
    got = sorted(name for name in told["text"] if name.startswith("HTTP_"))
    return "" if got == ["HTTP_HOST", "HTTP_X_ONE"] else f"variables of fields: {got}"


def _path(said: str) -> Accept:
    def check(told: Any) -> str:
        got = told["text"]["SCRIPT_NAME"] + told["text"]["PATH_INFO"]
        return "" if got == said else f"SCRIPT_NAME and PATH_INFO give {got!r}"

    return facts(f"SCRIPT_NAME and PATH_INFO give {said!r}", check)


def _flag(name: str, says: str, right: Callable[[bool], bool] = lambda _: True) -> Accept:
    def check(told: Any) -> str:
        flags = told["flags"]
        if name not in flags:
            return f"no {name}"
        return "" if right(flags[name]) else f"{name} is {flags[name]}"

    return facts(says, check)


def _absent(value: str | None) -> bool:
    return not value


def _is_host(value: str | None) -> bool:
    # RFC 6761 section 6.4: a name below .invalid never leads anywhere.
    return bool(value and HOST.fullmatch(value) and not value.endswith(".invalid"))


def _is_port(value: str | None) -> bool:
    return bool(value and value.isascii() and value.isdigit())


def _same(one: Any, two: Any) -> str:
    return "" if one["imported"] == two["imported"] else "the app was imported again"


def _fresh(one: Any, two: Any) -> str:
    if one["marked"] or two["marked"]:
        return "what a call put into its environ was there for the next"
    return "" if one["kind"] == "dict" else f"the environ is a {one['kind']}"


def _as_met(one: Any, two: Any) -> str:
    met = one["met"] and two["met"]
    if one["multithread"] == met:
        return ""
    return f"wsgi.multithread is {one['multithread']}, but two calls at once: {met}"


CALLED = _fact("kind", "the app was called", bool)
TYPED = ask(
    "/environ", text("Content-Type is CONTENT_TYPE", CONTENT_TYPE=exactly("text/x-rules")),
    "Content-Type: text/x-rules", "Content-Length: 0", name="type", method="POST",
)  # fmt: skip


def rule(number: int, level: Level, says: str, *tries: Try, cite: str = VARIABLES) -> Rule:
    """A rule of PEP 3333."""
    return Rule(id=f"W{number}", level=level, cite=cite, says=says, tries=tries)


MUST, SHOULD = Level.MUST, Level.SHOULD
SIDE = pep("The Application/Framework Side")
RULES = (
    rule(1, MUST, "the app is called with two positional arguments", ask("/environ", CALLED),
         cite=pep("Specification Details")),
    rule(2, MUST, "an instance of a class that has __call__ is an app", ask("/environ", CALLED),
         cite=SIDE),
    rule(3, MUST, "one application object is called for every request",
         Try(steps=twice("/environ"), accept=both("come from one import of the app", _same)),
         cite=SIDE),
    rule(4, MUST, "environ is a dict, and a new one for every call",
         Try(steps=twice("/environ"), accept=both("have dicts of their own", _fresh)),
         Try(name="kept", steps=(send(request("/environ")), responses(GET),
                                 send(request("/environ")), responses(GET)),
             accept=_never_marked()),
         cite=pep("Specification Details")),
    rule(5, MUST, "keys and CGI variables are native strings",
         ask("/environ?a=b", _fact("odd", "all are of type str", lambda odd: not odd),
             "X-A: b")),
    rule(6, MUST, "octets are decoded as latin-1, one character for each",
         ask("/environ", text("a field's octets are kept", HTTP_X_HIGH=exactly(HIGH)),
             f"X-High: {HIGH}", name="field"),
         ask("/environ/%C3%A9", _path("/environ/\u00c3\u00a9"), name="path"),
         cite=pep("Unicode Issues")),
    rule(7, MUST, "REQUEST_METHOD is the method",
         ask("/environ", text("it is GET", REQUEST_METHOD=exactly("GET"))),
         ask("/environ", text("it is PATCH", REQUEST_METHOD=exactly("PATCH")),
             name="other", method="PATCH", body=b"")),
    rule(8, MUST, "SCRIPT_NAME and PATH_INFO give the path, decoded",
         ask("/environ/a%20b", _path("/environ/a b"), name="space"),
         # RFC 3875 section 4.1.5: what loses information when decoded may be refused.
         ask("/environ/a%2Fb", either(_path("/environ/a/b"), answer(*CLIENT_ERRORS)),
             name="slash"),
         ask("/environ//a", _path("/environ//a"), name="empty-segment"),
         ask("//environ/a", _path("//environ/a"), name="first-segment")),
    rule(9, MUST, "QUERY_STRING is what follows the question mark, as it came",
         ask("/environ?a=%20b&c=%2F+d?", text("it is as sent",
             QUERY_STRING=exactly("a=%20b&c=%2F+d?"))),
         ask("/environ", text("it is empty or absent", QUERY_STRING=_absent), name="none")),
    rule(10, MUST, "CONTENT_TYPE and CONTENT_LENGTH are the request's fields",
         ask("/environ", text("both are empty or absent", CONTENT_TYPE=_absent,
                              CONTENT_LENGTH=exactly(None, "", "0")), name="none"),
         TYPED,
         ask("/environ", text("it is 3", CONTENT_LENGTH=exactly("3")), name="length",
             method="POST", body=b"abc")),
    rule(11, MUST, "SERVER_NAME and SERVER_PORT complete a URL without Host",
         ask("/environ", text("they are a host that can be reached and a port",
                              SERVER_NAME=_is_host, SERVER_PORT=_is_port),
             version="HTTP/1.0", host=None)),
    rule(12, MUST, "SERVER_PROTOCOL is the request's version",
         ask("/environ", text("it is HTTP/1.1", SERVER_PROTOCOL=exactly("HTTP/1.1"))),
         ask("/environ", text("it is HTTP/1.0", SERVER_PROTOCOL=exactly("HTTP/1.0")),
             name="1.0", version="HTTP/1.0")),
    rule(13, SHOULD, "HTTP_ variables are the request's fields, no more and no less",
         ask("/environ", facts("there are HTTP_HOST and HTTP_X_ONE", _fields), "X-One: 1"),
         ask("/environ", text("both values are there, in order, with a comma between",
                              HTTP_X_LIST=exactly("a,b", "a, b")),
             "X-List: a", "X-List: b", name="repeated")),
    rule(14, SHOULD, "the other variables of CGI that apply are there: RFC 3875 section 4.1",
         # GATEWAY_INTERFACE is the version of CGI, which is not spoken here.
         ask("/environ", text("REMOTE_ADDR and SERVER_SOFTWARE are there",
                              REMOTE_ADDR=bool, SERVER_SOFTWARE=bool))),
    rule(15, MUST, "wsgi.version is the tuple (1, 0)",
         ask("/environ", _fact("version", "it is", lambda version: version == "(1, 0)"))),
    rule(16, MUST, "wsgi.url_scheme is http where it is",
         ask("/environ", text("it is", **{"wsgi.url_scheme": exactly("http")}))),
    rule(17, MUST, "wsgi.input and wsgi.errors have all of their methods",
         ask("/environ", _fact("lacks", "none is missing", lambda lacks: not lacks)),
         cite=pep("Input and Error Streams")),
    rule(18, SHOULD, "wsgi.multithread tells whether two calls can be at once in the process",
         Try(steps=(send(request("/together?W18"), on="a"), send(request("/together?W18"), on="b"),
                    responses(GET, on="a"), responses(GET, on="b")),
             accept=both("say it as it is", _as_met), alone=True)),
    rule(19, SHOULD, "wsgi.multiprocess is false for one process",
         ask("/environ", _flag("wsgi.multiprocess", "it is", lambda flag: not flag))),
    rule(20, MUST, "wsgi.run_once is there", ask("/environ", _flag("wsgi.run_once", "it is"))),
    rule(21, SHOULD, "a server's own variables are in lower case, behind a prefix and a dot",
         ask("/environ", facts("they are", _own_names))),
)  # fmt: skip
