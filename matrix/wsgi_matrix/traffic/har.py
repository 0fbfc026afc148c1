"""HAR files, as browsers save them from their network tab (HTTP Archive 1.2).

Requests to the host of the first one are sent; fields that belong to the recorded connection, to
its cache or to its compression are not. A value that ``capture`` finds in a recorded answer (a
CSRF token, say) is not sent as it was recorded, but as the cell's own answer has it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus, urlsplit

from wsgi_matrix.probe.agent.session import captured
from wsgi_matrix.traffic.model import Ask, Capture, Session
from wsgi_matrix.traffic.paths import target

CONNECTION = frozenset(
    {"host", "connection", "keep-alive", "proxy-connection", "upgrade", "te", "trailer"}
    | {"transfer-encoding", "content-length"}
)
CACHE = frozenset({"if-none-match", "if-modified-since", "cache-control", "pragma"})
LEFT_OUT = CONNECTION | CACHE | {"accept-encoding"}
SHORTEST = 6
"""Characters of a captured value below which it is not looked for in later requests: a short one
stands in too many places by chance."""


def looks_like(value: Any) -> bool:
    """Whether a JSON document wants to be a HAR."""
    return isinstance(value, dict) and "log" in value


def read(value: Any, source: str, captures: Sequence[Capture] = ()) -> Session:
    """The requests of a HAR. Raises ``ValueError`` with what is wrong and where."""
    log = value.get("log") if isinstance(value, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no HAR: there is no list log.entries in it")
    asks: list[Ask] = []
    notes: dict[str, int] = {}
    recorded: dict[str, str] = {}
    host = ""
    for number, entry in enumerate(entries):
        try:
            url = urlsplit(entry["request"]["url"])
            if url.scheme not in ("http", "https"):
                reason = f"to {url.scheme}:"
            elif host and url.netloc != host:
                reason = f"to {url.netloc}"
            elif _in_parts(entry["request"]):
                reason = "a form in parts that was recorded without its text"
            else:
                host = url.netloc
                ask = _ask(entry["request"], f"{source}:log.entries[{number}]", recorded)
                asks.append(replace(ask, recorded=_status(entry)))
                _remember(entry, captures, recorded)
                continue
        except (KeyError, TypeError, AttributeError, binascii.Error) as problem:
            said = f"{type(problem).__name__}: {problem}"
            raise ValueError(
                f"no HAR: log.entries[{number}] is no recorded request ({said})"
            ) from None
        notes[reason] = notes.get(reason, 0) + 1
    if not asks:
        raise ValueError("there is no request over http: or https: in it")
    return Session(
        asks=tuple(asks),
        notes=tuple(f"{source}: {count} not sent, {reason}" for reason, count in notes.items()),
    )


def _ask(request: dict[str, Any], source: str, recorded: dict[str, str]) -> Ask:
    fields = tuple(
        (field["name"], _with_places(field["value"], recorded))
        for field in request.get("headers", [])
        if not field["name"].startswith(":") and field["name"].lower() not in LEFT_OUT
    )
    url = str(request["url"])
    return Ask(
        method=str(request["method"]),
        target=_with_places(target(url), recorded),
        host=urlsplit(url).netloc,
        fields=fields,
        body=_body(request.get("postData") or {}, recorded),
        source=source,
    )


def _status(entry: dict[str, Any]) -> int | None:
    """What was responded; a browser writes 0 where nothing was."""
    status = (entry.get("response") or {}).get("status")
    return status if isinstance(status, int) and 200 <= status <= 599 else None


def _body(data: dict[str, Any], recorded: dict[str, str]) -> bytes | None:
    if not data:
        return None
    text = data.get("text")
    if text is None:
        params = data.get("params") or []
        text = "&".join(f"{quote_plus(x['name'])}={quote_plus(x.get('value', ''))}" for x in params)
    if data.get("encoding") == "base64":
        return base64.b64decode(text)
    return _with_places(text, recorded).encode()


def _in_parts(request: dict[str, Any]) -> bool:
    """Whether the body is a form whose files are not in the recording."""
    data = request.get("postData") or {}
    return data.get("text") is None and str(data.get("mimeType", "")).startswith("multipart/")


def _with_places(text: str, recorded: dict[str, str]) -> str:
    """``text`` with ``{{name}}`` where a recorded value stands, encoded or not."""
    for name, value in recorded.items():
        for form in (value, quote_plus(value)):
            text = text.replace(form, "{{" + name + "}}")
    return text


def _remember(entry: dict[str, Any], captures: Sequence[Capture], recorded: dict[str, str]) -> None:
    """Values that a recorded answer gave."""
    response = entry.get("response") or {}
    lines = [f"{each['name']}: {each['value']}" for each in response.get("headers", [])]
    content = response.get("content") or {}
    body = str(content.get("text") or "").encode()
    if content.get("encoding") == "base64":
        body = base64.b64decode(body)
    head = "\r\n".join(["", *lines, "", ""]).encode()
    for each in captures:
        value = captured(each.kind, each.where, head, body)
        if value and len(value) >= SHORTEST:
            recorded[each.name] = value


def parse(text: str) -> Any:
    """JSON, with the place where it is none. Raises ``ValueError``."""
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except ValueError as problem:
        raise ValueError(f"not JSON: {problem}") from None
