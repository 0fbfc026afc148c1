"""environ (PEP 3333, "environ Variables", "Unicode Issues")."""

from __future__ import annotations

import ast
import json
import re
import socket
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from onegate.http1 import HeadParser, MessageLimits
from onegate.wsgi import EnvironFactory, field_key

from tests.server.helpers import Client, Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parents[1] / "apps"
STREAMS = {"wsgi.input", "wsgi.errors"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("environ")
    with serving(folder, "", "--chdir", str(APPS), target="environ_json:app") as server:
        yield server


def told(server: Server, *lines: str, target: str = "/", content: bytes = b"") -> dict[str, Any]:
    """The environ of a request; of streams and callables, only the type."""
    return value_of(typed(server, *lines, target=target, content=content))


def typed(
    server: Server, *lines: str, target: str = "/", content: bytes = b"", minor: int = 1
) -> dict[str, list[str]]:
    with server.connect() as client:
        return ask(client, f"GET {target} HTTP/1.{minor}", "Host: a", *lines, content=content)


def ask(client: Client, *lines: str, content: bytes = b"") -> dict[str, list[str]]:
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    found: dict[str, list[str]] = json.loads(client.send(head + content).response().content)
    return found


def value_of(environ: dict[str, list[str]]) -> dict[str, Any]:
    values = {}
    for key, (kind, text) in environ.items():
        try:
            values[key] = ast.literal_eval(text) if text else None
        except SyntaxError:
            values[key] = kind
    return values


def test_W4_environ_is_a_dict_and_fresh_for_every_request(server: Server) -> None:
    with server.connect() as client:
        first = ask(client, "GET / HTTP/1.1", "Host: a")
        second = ask(client, "GET / HTTP/1.1", "Host: a")
    assert first["(environ)"][0] == "dict"
    assert first.keys() == second.keys()
    assert "LEAKED" not in second


def test_W5_keys_and_values_are_native_strings(server: Server) -> None:
    environ = typed(server, "X-A: b", "Content-Type: a/b", "Cookie: c", target="/%C3%A4?q")
    for key, (kind, _) in environ.items():
        if "." not in key and key != "(environ)":
            assert kind == "str", key


def test_W6_latin_1_and_nothing_beyond(server: Server) -> None:
    environ = told(server, "X-A: \xe4\xff\x80", target="/%C3%A4%00%FF?%C3%A4")
    assert environ["HTTP_X_A"] == "\xe4\xff\x80"
    assert environ["PATH_INFO"] == "/\xc3\xa4\x00\xff"
    assert environ["QUERY_STRING"] == "%C3%A4"
    for key, value in environ.items():
        assert key.isascii()
        if isinstance(value, str):
            value.encode("latin-1")


@pytest.mark.parametrize("method", ["GET", "PATCH", "get", "M-SEARCH"])
def test_W7_request_method(server: Server, method: str) -> None:
    with server.connect() as client:
        environ = ask(client, f"{method} / HTTP/1.1", "Host: a")
    assert value_of(environ)["REQUEST_METHOD"] == method


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a/b", "/a/b", ""),
        ("/a%2Fb%20c", "/a/b c", ""),
        ("//a//b/", "//a//b/", ""),
        ("/a/../b/./c", "/a/../b/./c", ""),
        ("/%zz%4", "/%zz%4", ""),
        ("/a;b=c", "/a;b=c", ""),
        ("/a?b%20c?d", "/a", "b%20c?d"),
        ("/?", "/", ""),
        ("/%3F?x", "/?", "x"),
    ],
)
def test_W8_script_name_and_path_info(server: Server, target: str, path: str, query: str) -> None:
    environ = told(server, target=target)
    assert environ["SCRIPT_NAME"] == ""
    assert environ["PATH_INFO"] == path
    assert environ["QUERY_STRING"] == query


@pytest.mark.parametrize("script_name", ["/app", "/app/"])
@pytest.mark.parametrize(
    ("path", "rest"), [("/app", ""), ("/app/", "/"), ("/app/a", "/a"), ("/apple", "/apple")]
)
def test_W8_script_name_ends_at_a_slash(script_name: str, path: str, rest: str) -> None:
    environs = factory(script_name=script_name)
    head = HeadParser(MessageLimits(), field_key, environs.new).parse(
        f"GET {path} HTTP/1.1\r\nHost: a".encode()
    )
    environ = environs.complete(head, head.fields, ("", ""), BytesIO())
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/app", rest)


def test_W8_script_name_over_the_wire(tmp_path: Path) -> None:
    options = ("--chdir", str(APPS), "--root-path", "/app")
    with serving(tmp_path, "", *options, target="environ_json:app") as server:
        environ = told(server, target="/app/a%20b?c")
        assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/app", "/a b")
        assert environ["RAW_URI"] == "/app/a%20b?c"


@pytest.mark.parametrize("given", ["/größe", "/gr%C3%B6%C3%9Fe", "/größe/", "/gr%c3%b6%C3%9Fe/"])
def test_W8_script_name_beyond_ascii(tmp_path: Path, given: str) -> None:
    """Octets of UTF-8, one character for each, as they are cut off the path."""
    options = ("--chdir", str(APPS), "--root-path", given)
    with serving(tmp_path, "", *options, target="environ_json:app") as server:
        for _ in range(3):
            environ = told(server, target="/gr%C3%B6%C3%9Fe/x")
            assert environ["SCRIPT_NAME"].encode("latin-1").decode() == "/größe"
            assert environ["PATH_INFO"] == "/x"


def test_W8_a_percent_sign_in_script_name() -> None:
    assert factory(script_name="/100%25/%zz").new()["SCRIPT_NAME"] == "/100%/%zz"
    assert factory(script_name="/%2F").new()["SCRIPT_NAME"] == ""


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        ("http://b:81/c%2F?d", "/c/", "d", "b:81"),
        ("http://b", "/", "", "b"),
        ("HTTPS://b?c=d", "/", "c=d", "b"),
    ],
)
def test_W8_target_in_absolute_form(
    server: Server, target: str, path: str, query: str, host: str
) -> None:
    environ = told(server, target=target)
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (path, query)
    assert environ["HTTP_HOST"] == host
    assert environ["RAW_URI"] == environ["REQUEST_URI"] == target


def test_W8_target_asterisk(server: Server) -> None:
    with server.connect() as client:
        environ = value_of(ask(client, "OPTIONS * HTTP/1.1", "Host: a"))
    assert (environ["PATH_INFO"], environ["RAW_URI"]) == ("", "*")


@pytest.mark.parametrize("target", ["/", "/%C3%A4?a%20b", "//x%2fy/../z?"])
def test_W8_raw_target_is_kept(server: Server, target: str) -> None:
    environ = told(server, target=target)
    assert environ["RAW_URI"] == environ["REQUEST_URI"] == target


@pytest.mark.parametrize(("target", "query"), [("/a", ""), ("/a?", ""), ("/a?b=%41&c", "b=%41&c")])
def test_W9_query_string_is_always_there_and_raw(server: Server, target: str, query: str) -> None:
    assert told(server, target=target)["QUERY_STRING"] == query


def test_W10_content_variables_only_with_their_fields(server: Server) -> None:
    without = told(server)
    assert not {"CONTENT_TYPE", "CONTENT_LENGTH"} & without.keys()
    given = told(server, "Content-Type: a/b", "Content-Length: 3", content=b"abc")
    assert (given["CONTENT_TYPE"], given["CONTENT_LENGTH"]) == ("a/b", "3")
    for environ in (without, given):
        assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & environ.keys()


def test_W10_content_length_of_decoded_chunks(server: Server) -> None:
    environ = told(
        server, "Transfer-Encoding: chunked", content=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert environ["CONTENT_LENGTH"] == "5"
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_W11_server_name_and_port_make_a_url(server: Server) -> None:
    environ = told(server)
    assert environ["SERVER_NAME"] == "127.0.0.1"
    assert environ["SERVER_PORT"] == str(server.port)


@pytest.mark.parametrize("bind", ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"])
def test_W11_url_reconstruction_without_host(tmp_path: Path, bind: str) -> None:
    with serving(tmp_path, "", "--chdir", str(APPS), target="url:app", bind=bind) as server:
        url = server.get("/a%20b").text
        name = server.host if bind != "0.0.0.0:0" else socket.gethostname()
        name = f"[{name}]" if ":" in name else name
    assert url == f"http://{name}:{server.port}/a%20b"


def test_W11_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with (
        serving(tmp_path, "", "--chdir", str(APPS), target="environ_json:app", bind=f"unix:{path}"),
        socket.socket(socket.AF_UNIX) as sock,
    ):
        sock.connect(str(path))
        client = Client(sock)
        # The third of them is recognised by its octets.
        environs = [value_of(ask(client, "GET / HTTP/1.1", "Host: a")) for _ in range(4)]
        proxied = value_of(
            ask(
                client,
                "GET / HTTP/1.1", "Host: a", "X-Forwarded-For: 192.0.2.7",
                "X-Forwarded-Proto: https",
            )
        )  # fmt: skip
    for environ in environs:
        assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "80")
        assert environ["REMOTE_ADDR"] == ""
        assert "REMOTE_PORT" not in environ
    assert (proxied["REMOTE_ADDR"], proxied["SERVER_PORT"]) == ("192.0.2.7", "443")
    assert "REMOTE_PORT" not in proxied


def test_a_port_that_is_not_known_is_left_out(server: Server) -> None:
    """Behind a trusted proxy it was the proxy's (PEP 3333: missing variables are left out)."""
    with server.connect() as client:
        for _ in range(4):
            environ = value_of(
                ask(client, "GET / HTTP/1.1", "Host: a", "X-Forwarded-For: 192.0.2.7")
            )
            assert environ["REMOTE_ADDR"] == "192.0.2.7"
            assert "REMOTE_PORT" not in environ


def test_no_variable_is_empty_but_those_of_cgi_that_may_be(server: Server) -> None:
    """RFC 3875 and PEP 3333 let these be empty; any other is left out where it is not known."""
    environ = told(server)
    empty = {key for key, value in environ.items() if value == ""}
    assert empty == {"SCRIPT_NAME", "QUERY_STRING"}


@pytest.mark.parametrize("minor", [0, 1])
def test_W12_server_protocol_is_the_requests(server: Server, minor: int) -> None:
    environ = value_of(typed(server, minor=minor))
    assert environ["SERVER_PROTOCOL"] == f"HTTP/1.{minor}"


def test_W13_http_variables_are_the_fields_joined_in_order(server: Server) -> None:
    environ = told(server, "X-A: 1", "Accept: a", "x-a: 2", "X-A: ", "Cookie: a=b", "Cookie: c=d")
    fields = {key: value for key, value in environ.items() if key.startswith("HTTP_")}
    assert fields == {
        "HTTP_HOST": "a",
        "HTTP_X_A": "1,2,",
        "HTTP_ACCEPT": "a",
        "HTTP_COOKIE": "a=b; c=d",
    }


def test_W13_names_that_would_collide_are_dropped(server: Server) -> None:
    environ = told(server, "X_A: forged", "Content_Length: 9", "Proxy: http://evil")
    assert {key for key in environ if key.startswith("HTTP_")} == {"HTTP_HOST"}
    assert "CONTENT_LENGTH" not in environ


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("content-type", "CONTENT_TYPE"),
        ("content-length", "CONTENT_LENGTH"),
        ("x-a", "HTTP_X_A"),
        ("x_a", None),
        ("proxy", None),
        ("proxy-authorization", "HTTP_PROXY_AUTHORIZATION"),
    ],
)
def test_W13_field_key(name: str, key: str | None) -> None:
    assert field_key(name) == key


def test_W14_other_cgi_variables(server: Server) -> None:
    with server.connect() as client:
        port = client.sock.getsockname()[1]
        environ = value_of(ask(client, "GET / HTTP/1.1", "Host: a"))
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("127.0.0.1", str(port))
    assert environ["GATEWAY_INTERFACE"] == "CGI/1.1"
    assert environ["SERVER_SOFTWARE"] == "onegate"
    assert "HTTPS" not in environ


def test_W14_https_is_on_for_that_scheme() -> None:
    assert factory(scheme="https").new()["HTTPS"] == "on"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_W16_url_scheme_behind_a_trusted_proxy(server: Server, scheme: str) -> None:
    environ = told(server, f"X-Forwarded-Proto: {scheme}")
    assert environ["wsgi.url_scheme"] == scheme
    assert environ.get("HTTPS") == ("on" if scheme == "https" else None)


def test_W15_version(server: Server) -> None:
    assert typed(server)["wsgi.version"] == ["tuple", "(1, 0)"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_W16_url_scheme(server: Server, scheme: str) -> None:
    assert factory(scheme=scheme).new()["wsgi.url_scheme"] == scheme
    # A target in absolute-form names a scheme too; it is not the connection's.
    assert told(server, target=f"{scheme}://b/")["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize(("threads", "multithread"), [("1", "False"), ("2", "True")])
def test_W18_multithread_tells_the_truth(tmp_path: Path, threads: str, multithread: str) -> None:
    options = ("--chdir", str(APPS), "--threads", threads)
    with serving(tmp_path, "", *options, target="environ_json:app") as server:
        assert typed(server)["wsgi.multithread"] == ["bool", multithread]


@pytest.mark.parametrize(("workers", "multiprocess"), [("1", "False"), ("2", "True")])
def test_W19_multiprocess_tells_the_truth(tmp_path: Path, workers: str, multiprocess: str) -> None:
    options = ("--chdir", str(APPS), "--workers", workers)
    with serving(tmp_path, "", *options, target="environ_json:app") as server:
        assert typed(server)["wsgi.multiprocess"] == ["bool", multiprocess]


def test_W20_run_once(server: Server) -> None:
    assert typed(server)["wsgi.run_once"] == ["bool", "False"]


def test_W21_extensions_are_in_the_name_space_of_wsgi(server: Server) -> None:
    """Beside CGI's variables and ``wsgi.*`` two keys that every other server has as well."""
    cgi = {
        "CONTENT_LENGTH", "CONTENT_TYPE", "GATEWAY_INTERFACE", "PATH_INFO", "QUERY_STRING",
        "REMOTE_ADDR", "REMOTE_PORT", "REQUEST_METHOD", "SCRIPT_NAME", "SERVER_NAME",
        "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE",
    }  # fmt: skip
    environ = told(server, "Content-Type: a/b", "Content-Length: 1", content=b"x")
    others = {key for key in environ if not key.startswith(("HTTP_", "wsgi."))} - {"(environ)"}
    assert others == cgi | {"RAW_URI", "REQUEST_URI"}


def test_W22_every_variable_is_documented(server: Server) -> None:
    documented = set(
        re.findall(
            r"^\| `([A-Za-z_.]+)`",
            (Path(__file__).parents[3] / "docs" / "conformance-wsgi.md").read_text(),
            re.MULTILINE,
        )
    )
    environ = told(server, "Content-Type: a/b", "Content-Length: 1", content=b"x")
    given = {key for key in environ if not key.startswith("HTTP_")} - {"(environ)"}
    assert given <= documented
    assert documented - given == {"HTTPS"}
    assert set(factory(scheme="https").new()) <= documented


def test_W79_deployer_adds_variables(tmp_path: Path) -> None:
    options = ("--chdir", str(APPS), "--environ", "site.colour=a=b", "--environ", "EMPTY=")
    with serving(tmp_path, "", *options, target="environ_json:app") as server:
        environ = told(server)
        assert (environ["site.colour"], environ["EMPTY"]) == ("a=b", "")


def test_W79_what_the_deployer_adds_is_octets_too() -> None:
    environ = factory(extra=[("X", "€ é \udcff"), ("é", "a")]).new()
    assert environ["X"].encode("latin-1") == "€ é ".encode() + b"\xff"
    assert environ["é".encode().decode("latin-1")] == "a"


def factory(**keywords: Any) -> EnvironFactory:
    """A factory without a listener."""
    given: dict[str, Any] = {"scheme": "http", "multithread": False, "multiprocess": False}
    return EnvironFactory(server_name="a", server_port="80", **(given | keywords))


@pytest.mark.parametrize(("port", "expected"), [("80", "443"), ("8443", "8443")])
def test_the_port_of_https_is_that_of_the_scheme_where_none_is_known(
    port: str, expected: str
) -> None:
    environ = {"SERVER_PORT": port}
    EnvironFactory.port_of_https(environ)
    assert environ["SERVER_PORT"] == expected
