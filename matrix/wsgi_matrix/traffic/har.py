"""HAR files, as saved by the network tab of browsers (HTTP Archive 1.2).

Requests to one host are sent: the one with the most requests, among those that responded with a
page. Fields of the recorded connection, its cache or its compression are not sent, and neither are
WebSockets and event streams. A value that ``capture`` finds in a recorded response (a CSRF token,
for example) is replaced by that of the cell's own response.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote_plus

from wsgi_matrix.model.http_session import Ask, Capture, Session
from wsgi_matrix.probe.agent.session import captured
from wsgi_matrix.traffic import authorization, urls

CONNECTION = frozenset(
    {"host", "connection", "keep-alive", "proxy-connection", "upgrade", "te", "trailer"}
    | {"transfer-encoding", "content-length"}
)
CACHE = frozenset({"if-none-match", "if-modified-since", "cache-control", "pragma"})
LEFT_OUT = CONNECTION | CACHE | {"accept-encoding"}
EVENTS = "text/event-stream"
SWITCHING = 101
LONGEST = 20
"""Maximum number of characters of a scheme to show."""
NAMED = 5
"""Maximum number of reasons to report separately."""
SHORTEST = 6
"""Minimum length of a captured value that is replaced in later requests; a shorter one occurs in
too many places by chance."""


def looks_like(value: Any) -> bool:
    """Whether a JSON document is intended to be a HAR."""
    return isinstance(value, dict) and "log" in value


def read(value: Any, source: str, captures: Sequence[Capture] = (), host: str = "") -> Session:
    """The requests of a HAR to one host: ``host`` if it is in it, else probably the app's.

    Raises ``ValueError`` with what is wrong and where.
    """
    log = value.get("log") if isinstance(value, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a HAR: the list log.entries is missing")
    checked = []
    for number, entry in enumerate(entries):
        try:
            checked.append((number, entry, *_to_whom(entry)))
        except (KeyError, TypeError, AttributeError) as problem:
            raise _wrong(number, problem) from None
    chosen = _host([(to, _is_page(entry)) for _, entry, to, why in checked if not why], host)
    asks: list[Ask] = []
    notes: Counter[str] = Counter()
    recorded: dict[str, str] = {}
    for number, entry, to, why in checked:
        reason = why
        if not reason and to != chosen:
            reason = f"to {to} (--host {to} sends these)"
        try:
            if not reason:
                asks.append(_ask(entry, f"{source}:log.entries[{number}]", recorded))
                _remember(entry, captures, recorded)
        except ValueError as problem:
            reason = f"log.entries[{number}] is not a request: {problem}"
        except (KeyError, TypeError, AttributeError) as problem:
            raise _wrong(number, problem) from None
        if reason:
            notes[reason] += 1
    if not asks:
        reasons = "".join(f"; {count} {reason}" for reason, count in notes.most_common(NAMED))
        raise ValueError(f"it has no HTTP request that can be sent{reasons}")
    return Session(asks=tuple(asks), notes=tuple(f"{source}: {each}" for each in _unsent(notes)))


def _unsent(notes: Counter[str]) -> Iterator[str]:
    """What was not sent and why; if there are many reasons, the most frequent ones."""
    for reason in [*notes] if len(notes) <= NAMED else [x for x, _ in notes.most_common(NAMED)]:
        yield f"{notes.pop(reason)} not sent, {reason}"
    if notes:
        yield f"{notes.total()} not sent, to other hosts or for other reasons ({len(notes)})"


def _wrong(number: int, problem: Exception) -> ValueError:
    said = f"{type(problem).__name__}: {problem}"
    return ValueError(f"not a HAR: log.entries[{number}] is not a recorded request ({said})")


def _to_whom(entry: dict[str, Any]) -> tuple[str, str]:
    """The host of an entry, and why it is not sent; empty if it is sent."""
    request, response = entry["request"], entry.get("response") or {}
    scheme = urls.SCHEME.match(str(request["url"]))
    content = str((response.get("content") or {}).get("mimeType", ""))
    fields = {str(x["name"]).lower(): str(x["value"]) for x in request.get("headers", [])}
    if str(request["method"]).upper() == "CONNECT":
        return "", "CONNECT, which is for a proxy"
    if not scheme or scheme[1].lower() not in urls.DEFAULT_PORTS:
        return "", f"to {str(request['url']).partition(':')[0][:LONGEST].lower()}:"
    if (
        fields.get("upgrade", "").lower() == "websocket"
        or response.get("status") == SWITCHING
        or str(entry.get("_resourceType", "")).lower() == "websocket"
    ):
        return "", "the handshake of a WebSocket"
    accepted = (content, fields.get("accept", ""))
    if (
        any(x.lower().startswith(EVENTS) for x in accepted)
        or entry.get("_resourceType") == "eventsource"
    ):
        return "", "an event stream, which never ends"
    if _in_parts(request):
        return "", "a multipart form that was recorded without its text"
    try:
        return urls.host(str(request["url"])), ""
    except ValueError as problem:
        return "", f"{request['url']}: {problem}"


def _host(hosts: Sequence[tuple[str, bool]], wanted: str) -> str:
    """``wanted`` if it has requests, else the host with the most requests, the first on a tie.

    Hosts that responded with a page are preferred to those that only had parts of it, because many
    sites have most of these elsewhere.
    """
    if wanted:
        with contextlib.suppress(ValueError):
            wanted = urls.host(f"http://{wanted}")
    counts = Counter(host for host, _ in hosts)
    pages = {host for host, page in hosts if page}
    if wanted in counts:
        return wanted
    return max(counts, key=lambda each: (each in pages, counts[each]), default="")


def _is_page(entry: dict[str, Any]) -> bool:
    """Whether the response was HTML and not a redirection."""
    response = entry.get("response") or {}
    content = response.get("content") or {}
    status = response.get("status")
    html = str(content.get("mimeType", "")).lower().startswith("text/html")
    return html and not (isinstance(status, int) and 300 <= status <= 399)


def _ask(entry: dict[str, Any], source: str, recorded: dict[str, str]) -> Ask:
    request = entry["request"]
    fields = tuple(
        (field["name"], _with_places(str(field["value"]).strip(), recorded))
        for field in request.get("headers", [])
        if not field["name"].startswith(":") and field["name"].lower() not in LEFT_OUT
    )
    url = urls.split(str(request["url"]), places=False)
    if url.user and not any(name.lower() == "authorization" for name, _ in fields):
        fields += (("Authorization", authorization.basic(*url.user)),)
    return Ask(
        method=str(request["method"]).upper(),
        target=_with_places(url.target, recorded),
        host=url.host,
        fields=fields,
        body=_body(request.get("postData") or {}, recorded),
        source=source,
        recorded=_status(entry),
    )


def _status(entry: dict[str, Any]) -> int | None:
    """The recorded status; ``None`` for 0, which browsers write if there was no response."""
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
    """Whether the body is a form whose files were not recorded."""
    data = request.get("postData") or {}
    return data.get("text") is None and str(data.get("mimeType", "")).lower().startswith(
        "multipart/"
    )


def _with_places(text: str, recorded: dict[str, str]) -> str:
    """``text`` with recorded values replaced by ``{{name}}``, encoded or not."""
    for name, value in recorded.items():
        for form in (value, quote_plus(value)):
            text = text.replace(form, "{{" + name + "}}")
    return text


def _remember(entry: dict[str, Any], captures: Sequence[Capture], recorded: dict[str, str]) -> None:
    """Store the values captured from a recorded response."""
    if not captures:
        return
    response = entry.get("response") or {}
    lines = [f"{each['name']}: {each['value']}" for each in response.get("headers", [])]
    content = response.get("content") or {}
    body = str(content.get("text") or "").encode()
    if content.get("encoding") == "base64":
        with contextlib.suppress(binascii.Error):  # a truncated response has none
            body = base64.b64decode(body)
    head = "\r\n".join(["", *lines, "", ""]).encode()
    for each in captures:
        value = captured(each.kind, each.where, head, body)
        if value and len(value) >= SHORTEST:
            recorded[each.name] = value
