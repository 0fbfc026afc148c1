"""HAR files, as browsers save them from their network tab (HTTP Archive 1.2).

Requests to one host are sent: of those that responded with a page, the one that most go to. Fields
that belong to the recorded connection, to its cache or to its compression are not sent, nor are
WebSockets and streams of events. A value that ``capture`` finds in a recorded answer (a CSRF token,
say) is not sent as it was recorded, but as the cell's own answer has it.
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
"""Characters of a scheme that are told."""
NAMED = 5
"""Reasons that are reported one by one."""
SHORTEST = 6
"""Characters of a captured value below which it is not looked for in later requests: a short one
stands in too many places by chance."""


def looks_like(value: Any) -> bool:
    """Whether a JSON document wants to be a HAR."""
    return isinstance(value, dict) and "log" in value


def read(value: Any, source: str, captures: Sequence[Capture] = (), host: str = "") -> Session:
    """The requests of a HAR to one host: ``host`` if it is in it, else the app's by all accounts.

    Raises ``ValueError`` with what is wrong and where.
    """
    log = value.get("log") if isinstance(value, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no HAR: there is no list log.entries in it")
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
            reason = f"to {to} (--host {to} sends what goes there)"
        try:
            if not reason:
                asks.append(_ask(entry, f"{source}:log.entries[{number}]", recorded))
                _remember(entry, captures, recorded)
        except ValueError as problem:
            reason = f"log.entries[{number}] is no request: {problem}"
        except (KeyError, TypeError, AttributeError) as problem:
            raise _wrong(number, problem) from None
        if reason:
            notes[reason] += 1
    if not asks:
        told = "".join(f"; {count} {reason}" for reason, count in notes.most_common(NAMED))
        raise ValueError(f"there is no request over http: or https: in it that can be sent{told}")
    return Session(asks=tuple(asks), notes=tuple(f"{source}: {each}" for each in _told(notes)))


def _told(notes: Counter[str]) -> Iterator[str]:
    """What was not sent and why; of many hosts or entries, those that come most often."""
    for reason in [*notes] if len(notes) <= NAMED else [x for x, _ in notes.most_common(NAMED)]:
        yield f"{notes.pop(reason)} not sent, {reason}"
    if notes:
        yield f"{notes.total()} not sent, to other hosts or for other reasons ({len(notes)})"


def _wrong(number: int, problem: Exception) -> ValueError:
    said = f"{type(problem).__name__}: {problem}"
    return ValueError(f"no HAR: log.entries[{number}] is no recorded request ({said})")


def _to_whom(entry: dict[str, Any]) -> tuple[str, str]:
    """The host of an entry, and why it is not sent; empty where it is."""
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
        return "", "a stream of events, which never ends"
    if _in_parts(request):
        return "", "a form in parts that was recorded without its text"
    try:
        return urls.host(str(request["url"])), ""
    except ValueError as problem:
        return "", f"{request['url']}: {problem}"


def _host(hosts: Sequence[tuple[str, bool]], wanted: str) -> str:
    """``wanted`` if requests go there, else the host that most go to, the first of several.

    One that responded with a page comes before those that only had parts of it: many sites have
    most of these elsewhere.
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
    """Whether HTML was responded, and no redirect."""
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
    return data.get("text") is None and str(data.get("mimeType", "")).lower().startswith(
        "multipart/"
    )


def _with_places(text: str, recorded: dict[str, str]) -> str:
    """``text`` with ``{{name}}`` where a recorded value stands, encoded or not."""
    for name, value in recorded.items():
        for form in (value, quote_plus(value)):
            text = text.replace(form, "{{" + name + "}}")
    return text


def _remember(entry: dict[str, Any], captures: Sequence[Capture], recorded: dict[str, str]) -> None:
    """Values that a recorded answer gave."""
    if not captures:
        return
    response = entry.get("response") or {}
    lines = [f"{each['name']}: {each['value']}" for each in response.get("headers", [])]
    content = response.get("content") or {}
    body = str(content.get("text") or "").encode()
    if content.get("encoding") == "base64":
        with contextlib.suppress(binascii.Error):  # one that was cut gave nothing
            body = base64.b64decode(body)
    head = "\r\n".join(["", *lines, "", ""]).encode()
    for each in captures:
        value = captured(each.kind, each.where, head, body)
        if value and len(value) >= SHORTEST:
            recorded[each.name] = value
