"""The application object and the environ: W1 to W21."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.matchers import (
    CLIENT_ERRORS,
    Actual,
    Matcher,
    either,
    response,
)
from wsgi_matrix.suites.conformance.parsed_transcript import parse
from wsgi_matrix.suites.conformance.pep3333.report_matchers import (
    GET,
    ask,
    both,
    pep,
    reports,
    twice,
)
from wsgi_matrix.suites.conformance.rule import Rule, Variant
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


def variables(what: str, **wanted: Callable[[str | None], bool]) -> Matcher:
    """Variables whose values are as they have to be."""

    def check(report: Any) -> Actual:
        for name, right in wanted.items():
            value = report["text"].get(name)
            if not right(value):
                return f"{name} {value!r}"
        return None

    return reports(what, check)


def exactly(*values: str | None) -> Callable[[str | None], bool]:
    """One of these."""
    return lambda value: value in values


def _fact(name: str, what: str, right: Callable[[Any], bool]) -> Matcher:
    return reports(
        what, lambda report: None if right(report[name]) else f"{name}: {report[name]!r}"
    )


def _never_marked() -> Matcher:
    def differs(transcript: Transcript) -> Actual:
        found = parse(transcript, [GET, GET]).responses
        if not found:
            return "no response"
        marked = [each.json()["marked"] for each in found if each.status == 200]
        return None if marked and not any(marked) else f"the mark of an earlier call: {marked}"

    return Matcher("no call finds what an earlier one put into its environ", differs)


def _own_names(report: Any) -> Actual:
    wrong = [
        name for name in report["own"] if not (CGI.fullmatch(name) or EXTENSION.fullmatch(name))
    ]
    return f"variables named {', '.join(wrong)}" if wrong else None


def _fields(report: Any) -> Actual:
    got = sorted(name for name in report["text"] if name.startswith("HTTP_"))
    return None if got == ["HTTP_HOST", "HTTP_X_ONE"] else f"the variables {got}"


def _path(wanted: str) -> Matcher:
    def check(report: Any) -> Actual:
        got = report["text"]["SCRIPT_NAME"] + report["text"]["PATH_INFO"]
        return None if got == wanted else f"SCRIPT_NAME and PATH_INFO give {got!r}"

    return reports(f"that SCRIPT_NAME and PATH_INFO give {wanted!r}", check)


def _flag(name: str, what: str, right: Callable[[bool], bool] = lambda _: True) -> Matcher:
    def check(report: Any) -> Actual:
        flags = report["flags"]
        if name not in flags:
            return f"no {name}"
        return None if right(flags[name]) else f"{name} {flags[name]}"

    return reports(what, check)


def _absent(value: str | None) -> bool:
    return not value


def _is_host(value: str | None) -> bool:
    # RFC 6761 section 6.4: a name below .invalid never leads anywhere.
    return bool(value and HOST.fullmatch(value) and not value.endswith(".invalid"))


def _is_port(value: str | None) -> bool:
    return bool(value and value.isascii() and value.isdigit())


def _same(one: Any, two: Any) -> Actual:
    return None if one["imported"] == two["imported"] else "the app was imported again"


def _fresh(one: Any, two: Any) -> Actual:
    if one["marked"] or two["marked"]:
        return "what a call put into its environ was there for the next"
    return None if one["kind"] == "dict" else f"the environ is a {one['kind']}"


def _as_met(one: Any, two: Any) -> Actual:
    met = one["met"] and two["met"]
    if one["multithread"] == met:
        return None
    return f"wsgi.multithread {one['multithread']}, but two calls at once: {met}"


CALLED = _fact("kind", "that it was called", bool)

RULES = (
    Rule(
        id="application/positional-arguments",
        alias="W1",
        level=Level.MUST,
        cite=pep("Specification Details"),
        title="App takes two positional arguments",
        text="A server or gateway must invoke the application object using positional (not "
        "keyword) arguments.",
        variants=(ask("a GET; the app accepts two positional arguments only", "/environ", CALLED),),
    ),
    Rule(
        id="application/instance-with-call",
        alias="W2",
        level=Level.MUST,
        cite=pep("The Application/Framework Side"),
        title="App is an instance with __call__",
        text="a function, method, class, or instance with a __call__ method are all acceptable for "
        "use as an application object.",
        variants=(
            ask("a GET; the app is an instance of a class with __call__", "/environ", CALLED),
        ),
    ),
    Rule(
        id="application/called-repeatedly",
        alias="W3",
        level=Level.MUST,
        cite=pep("The Application/Framework Side"),
        title="One app for all requests",
        text="Application objects must be able to be invoked more than once, as virtually all "
        "servers/gateways (other than CGI) will make such repeated requests.",
        variants=(
            Variant(
                sends="a GET on each of two connections",
                steps=twice("/environ"),
                expects=both("the same import of itself twice", _same),
            ),
        ),
    ),
    Rule(
        id="environ/new-dict",
        alias="W4",
        level=Level.MUST,
        cite=pep("Specification Details"),
        title="Environ is a new dict",
        text="This object must be a builtin Python dictionary (not a subclass, UserDict or other "
        "dictionary emulation), and the application is allowed to modify the dictionary in any way "
        "it desires.",
        variants=(
            Variant(
                sends="a GET on each of two connections; the app puts a mark into its environ",
                steps=twice("/environ"),
                expects=both("a dict without a mark, twice", _fresh),
            ),
            Variant(
                name="kept",
                sends="two GETs on one connection; the app puts a mark into its environ",
                steps=(
                    send(request("/environ")),
                    responses(GET),
                    send(request("/environ")),
                    responses(GET),
                ),
                expects=_never_marked(),
            ),
        ),
    ),
    Rule(
        id="environ/native-strings",
        alias="W5",
        level=Level.MUST,
        cite=VARIABLES,
        title="Keys and variables are str",
        text="It is a violation of this specification for any CGI variable's value to be of any "
        "type other than str.",
        variants=(
            ask(
                "a GET with a query and a field",
                "/environ?a=b",
                _fact(
                    "odd", "that all keys and CGI variables are of type str", lambda odd: not odd
                ),
                "X-A: b",
            ),
        ),
    ),
    Rule(
        id="environ/latin-1",
        alias="W6",
        level=Level.MUST,
        cite=pep("Unicode Issues"),
        title="Octets are decoded as Latin-1",
        text='all "strings" referred to in this specification must contain only code points '
        "representable in ISO-8859-1 encoding (\\u0000 through \\u00FF, inclusive).",
        variants=(
            ask(
                "a GET with the octets 0xE9 and 0xFF as a field value",
                "/environ",
                variables("one character for each octet", HTTP_X_HIGH=exactly(HIGH)),
                f"X-High: {HIGH}",
                name="field",
            ),
            ask(
                "a GET for /environ/%C3%A9",
                "/environ/%C3%A9",
                _path("/environ/\u00c3\u00a9"),
                name="path",
            ),
        ),
    ),
    Rule(
        id="environ/request-method",
        alias="W7",
        level=Level.MUST,
        cite=VARIABLES,
        title="REQUEST_METHOD",
        text='The HTTP request method, such as "GET" or "POST". This cannot ever be an empty '
        "string, and so is always required.",
        variants=(
            ask(
                "a GET",
                "/environ",
                variables("REQUEST_METHOD 'GET'", REQUEST_METHOD=exactly("GET")),
            ),
            ask(
                "PATCH, with Content-Length: 0",
                "/environ",
                variables("REQUEST_METHOD 'PATCH'", REQUEST_METHOD=exactly("PATCH")),
                name="other",
                method="PATCH",
                body=b"",
            ),
        ),
    ),
    Rule(
        id="environ/path",
        alias="W8",
        level=Level.MUST,
        cite=VARIABLES,
        title="SCRIPT_NAME and PATH_INFO",
        text='The remainder of the request URL\'s "path", designating the virtual "location" of '
        "the request's target within the application.",
        variants=(
            ask("a GET for /environ/a%20b", "/environ/a%20b", _path("/environ/a b"), name="space"),
            ask(
                "a GET for /environ/a%2Fb",
                "/environ/a%2Fb",
                # RFC 3875 section 4.1.5: what loses information when decoded may be refused.
                either(_path("/environ/a/b"), response(*CLIENT_ERRORS)),
                name="slash",
            ),
            ask("a GET for /environ//a", "/environ//a", _path("/environ//a"), name="empty-segment"),
            ask("a GET for //environ/a", "//environ/a", _path("//environ/a"), name="first-segment"),
        ),
    ),
    Rule(
        id="environ/query-string",
        alias="W9",
        level=Level.MUST,
        cite=VARIABLES,
        title="QUERY_STRING",
        text='The portion of the request URL that follows the "?", if any. May be empty or absent.',
        variants=(
            ask(
                "a GET with the query a=%20b&c=%2F+d?",
                "/environ?a=%20b&c=%2F+d?",
                variables("QUERY_STRING as it was sent", QUERY_STRING=exactly("a=%20b&c=%2F+d?")),
            ),
            ask(
                "a GET without a query",
                "/environ",
                variables("QUERY_STRING empty or absent", QUERY_STRING=_absent),
                name="none",
            ),
        ),
    ),
    Rule(
        id="environ/content-type-and-length",
        alias="W10",
        level=Level.MUST,
        cite=VARIABLES,
        title="CONTENT_TYPE and CONTENT_LENGTH",
        text="The contents of any Content-Type fields in the HTTP request. … The contents of any "
        "Content-Length fields in the HTTP request.",
        variants=(
            ask(
                "a GET without content",
                "/environ",
                variables(
                    "CONTENT_TYPE and CONTENT_LENGTH empty or absent (or length 0)",
                    CONTENT_TYPE=_absent,
                    CONTENT_LENGTH=exactly(None, "", "0"),
                ),
                name="none",
            ),
            ask(
                "a POST with Content-Type: text/x-rules",
                "/environ",
                variables("CONTENT_TYPE 'text/x-rules'", CONTENT_TYPE=exactly("text/x-rules")),
                "Content-Type: text/x-rules",
                "Content-Length: 0",
                name="type",
                method="POST",
            ),
            ask(
                "a POST of three octets",
                "/environ",
                variables("CONTENT_LENGTH '3'", CONTENT_LENGTH=exactly("3")),
                name="length",
                method="POST",
                body=b"abc",
            ),
        ),
    ),
    Rule(
        id="environ/server-name-and-port",
        alias="W11",
        level=Level.MUST,
        cite=VARIABLES,
        title="SERVER_NAME and SERVER_PORT",
        text="SERVER_NAME and SERVER_PORT are required strings and must never be empty.",
        variants=(
            ask(
                "a GET of HTTP/1.0 without Host",
                "/environ",
                variables(
                    "a host that can be reached as SERVER_NAME, and a number as SERVER_PORT",
                    SERVER_NAME=_is_host,
                    SERVER_PORT=_is_port,
                ),
                version="HTTP/1.0",
                host=None,
            ),
        ),
    ),
    Rule(
        id="environ/server-protocol",
        alias="W12",
        level=Level.MUST,
        cite=VARIABLES,
        title="SERVER_PROTOCOL",
        text="The version of the protocol the client used to send the request.",
        variants=(
            ask(
                "a GET of HTTP/1.1",
                "/environ",
                variables("SERVER_PROTOCOL 'HTTP/1.1'", SERVER_PROTOCOL=exactly("HTTP/1.1")),
            ),
            ask(
                "a GET of HTTP/1.0",
                "/environ",
                variables("SERVER_PROTOCOL 'HTTP/1.0'", SERVER_PROTOCOL=exactly("HTTP/1.0")),
                name="1.0",
                version="HTTP/1.0",
            ),
        ),
    ),
    Rule(
        id="environ/http-variables",
        alias="W13",
        level=Level.SHOULD,
        cite=VARIABLES,
        title="HTTP_ variables",
        text="The presence or absence of these variables should correspond with the presence or "
        "absence of the appropriate HTTP header in the request.",
        variants=(
            ask(
                "a GET with Host and X-One",
                "/environ",
                reports("HTTP_HOST and HTTP_X_ONE, and no other such variable", _fields),
                "X-One: 1",
            ),
            ask(
                "a GET with X-List: a, then X-List: b",
                "/environ",
                variables("HTTP_X_LIST 'a,b' or 'a, b'", HTTP_X_LIST=exactly("a,b", "a, b")),
                "X-List: a",
                "X-List: b",
                name="repeated",
            ),
        ),
    ),
    Rule(
        id="environ/other-cgi-variables",
        alias="W14",
        level=Level.SHOULD,
        cite=VARIABLES,
        title="Other variables of CGI",
        text="A server or gateway should attempt to provide as many other CGI variables as are "
        "applicable.",
        variants=(
            # GATEWAY_INTERFACE is the version of CGI, which is not spoken here.
            ask(
                "a GET",
                "/environ",
                variables(
                    "REMOTE_ADDR and SERVER_SOFTWARE", REMOTE_ADDR=bool, SERVER_SOFTWARE=bool
                ),
            ),
        ),
    ),
    Rule(
        id="environ/wsgi-version",
        alias="W15",
        level=Level.MUST,
        cite=VARIABLES,
        title="wsgi.version",
        text="The tuple (1, 0), representing WSGI version 1.0.",
        variants=(
            ask(
                "a GET",
                "/environ",
                _fact("version", "wsgi.version (1, 0)", lambda version: version == "(1, 0)"),
            ),
        ),
    ),
    Rule(
        id="environ/wsgi-url-scheme",
        alias="W16",
        level=Level.MUST,
        cite=VARIABLES,
        title="wsgi.url_scheme",
        text='A string representing the "scheme" portion of the URL at which the application is '
        'being invoked. Normally, this will have the value "http" or "https", as appropriate.',
        variants=(
            ask(
                "a GET, not over TLS",
                "/environ",
                variables("wsgi.url_scheme 'http'", **{"wsgi.url_scheme": exactly("http")}),
            ),
        ),
    ),
    Rule(
        id="environ/stream-methods",
        alias="W17",
        level=Level.MUST,
        cite=pep("Input and Error Streams"),
        title="Methods of wsgi.input and wsgi.errors",
        text="The methods listed in the table above must be supported by all servers conforming to "
        "this specification.",
        variants=(
            ask(
                "a GET",
                "/environ",
                _fact("lacks", "that both have all of their methods", lambda lacks: not lacks),
            ),
        ),
    ),
    Rule(
        id="environ/wsgi-multithread",
        alias="W18",
        level=Level.SHOULD,
        cite=VARIABLES,
        title="wsgi.multithread",
        text="This value should evaluate true if the application object may be simultaneously "
        "invoked by another thread in the same process, and should evaluate false otherwise.",
        variants=(
            Variant(
                sends="a GET on each of two connections at once; each call waits 0.5 s for the "
                "other",
                steps=(
                    send(request("/together?both"), on="a"),
                    send(request("/together?both"), on="b"),
                    responses(GET, on="a"),
                    responses(GET, on="b"),
                ),
                expects=both("wsgi.multithread true just where both calls met", _as_met),
                alone=True,
            ),
        ),
    ),
    Rule(
        id="environ/wsgi-multiprocess",
        alias="W19",
        level=Level.SHOULD,
        cite=VARIABLES,
        title="wsgi.multiprocess",
        text="This value should evaluate true if an equivalent application object may be "
        "simultaneously invoked by another process, and should evaluate false otherwise.",
        variants=(
            ask(
                "a GET, to a server with one worker",
                "/environ",
                _flag("wsgi.multiprocess", "wsgi.multiprocess false", lambda flag: not flag),
            ),
        ),
    ),
    Rule(
        id="environ/wsgi-run-once",
        alias="W20",
        level=Level.MUST,
        cite=VARIABLES,
        title="wsgi.run_once",
        text="the environ dictionary may also contain arbitrary operating-system "
        '"environment variables", and must contain the following WSGI-defined variables',
        variants=(ask("a GET", "/environ", _flag("wsgi.run_once", "that there is wsgi.run_once")),),
    ),
    Rule(
        id="environ/extension-names",
        alias="W21",
        level=Level.SHOULD,
        cite=VARIABLES,
        title="Names of a server's own variables",
        text="These variables should be named using only lower-case letters, numbers, dots, and "
        "underscores, and should be prefixed with a name that is unique to the defining server or "
        "gateway.",
        variants=(
            ask(
                "a GET",
                "/environ",
                reports(
                    "no variables other than those of CGI, those with such a name, and the "
                    "process's environment",
                    _own_names,
                ),
            ),
        ),
    ),
)
