"""Timeouts, size limits and buffers of requests and responses; the Server field."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import FieldValue, Integer, Kind, Seconds, Size


class Requests(Group, title="Requests and responses"):
    """Options on requests and responses, mostly limits and timeouts."""

    head_timeout: float = option(
        30.0,
        Seconds(),
        help="seconds to wait for a complete request head, counted from its first octet, or from"
        " connecting; on timeout the response is 408, or the connection is closed if nothing has"
        " arrived",
        why="a waiting client costs a descriptor, not a worker, so slow clients can be given time",
        uwsgi="--socket-timeout 4, a read",
        waitress="channel_timeout 120",
        others="granian 30, puma first_data_timeout 30, cheroot 10",
    )
    body_timeout: float = option(
        30.0,
        Seconds(),
        help="seconds to wait for each 16 KiB of request content; then 408",
        why="0.5 KiB/s is slower than any line in use, and a slower trickle is an attack",
        uwsgi="--socket-timeout 4, a read",
        waitress="channel_timeout 120",
        others="Apache RequestReadTimeout 20 and 500 octets a second",
    )
    keepalive: float = option(
        75.0,
        Seconds(),
        flag="--keep-alive",
        help="seconds to keep an idle connection open for its next request",
        why="longer than the 60 s after which common load balancers close an idle connection, so"
        " that they close first: otherwise a request meets a connection that is being closed, a"
        " 502",
        gunicorn="keepalive 2",
        uwsgi="--http-keepalive off",
        waitress="channel_timeout 120",
        others="puma persistent_timeout 65, nginx 75",
    )
    write_timeout: float = option(
        30.0,
        Seconds(),
        help="close a connection whose client accepts less than 16 KiB of a response in this many"
        " seconds",
        why="same reason as body_timeout",
        gunicorn="timeout 30",
        uwsgi="--socket-timeout 4",
        waitress="channel_timeout 120",
        others="nginx send_timeout 60",
    )
    limit_request_line: int = option(
        8190,
        Size(zero=False),
        help="maximum length of the request line, in octets; a longer one gets 414",
        why="RFC 9112, section 3, recommends at least 8000; Apache's default",
        gunicorn="limit_request_line 4094",
        uwsgi="--buffer-size 4096, whole head",
        waitress="within the head",
        others="Apache 8190, nginx 8k",
    )
    limit_request_fields: int = option(
        100,
        Integer(1),
        help="maximum number of field lines in a request; more get 431",
        why="browsers send about 20, a chain of proxies adds a few",
        gunicorn="limit_request_fields 100",
        uwsgi="--max-vars 64",
        others="Apache 100",
    )
    limit_request_field_size: int = option(
        8190,
        Size(zero=False),
        help="maximum length of a field line, in octets; a longer one gets 431",
        why="room for the tokens and cookies in use",
        gunicorn="limit_request_field_size 8190",
        uwsgi="--buffer-size 4096, whole head",
        waitress="within the head",
        others="Apache 8190, nginx 8k",
    )
    limit_request_head: int = option(
        64 << 10,
        Size(zero=False),
        help="maximum size of a whole request head, in octets; a larger one gets 431",
        why="bounds memory: the limits above allow 800 KiB together",
        uwsgi="--buffer-size 4096",
        waitress="max_request_header_size 262144",
        others="granian 417792, puma 112k, nginx 32k",
    )
    limit_request_body: int = option(
        1 << 30,
        Size(),
        help="maximum size of request content, in octets; larger content gets 413",
        why="the default of Apache and waitress: large uploads pass, and no single request fills a"
        " disk",
        uwsgi="--limit-post 0, no limit",
        waitress="max_request_body_size 1G",
        others="Apache 1G, nginx 1m, puma none",
    )
    body_memory: int = option(
        1 << 20,
        Size(),
        help="request content to keep in memory, in bytes; more goes to disk",
        why="an ordinary form, JSON document or picture never touches a disk",
        uwsgi="--post-buffering 0",
        waitress="inbuf_overflow 512k",
        others="puma 112k",
    )
    response_memory: int = option(
        1 << 20,
        Size(),
        help="response data to keep in memory for a slow client, in bytes; more goes to disk",
        why="an ordinary page never makes the application wait for a slow client",
        waitress="outbuf_overflow 1M",
    )
    server_header: str = option(
        "onegate",
        FieldValue(),
        help='Server field of responses in which the application sets none; "none" omits it',
        why="RFC 9110, section 10.2.4, warns of needless detail: a name without a version",
        waitress="ident waitress",
        others="uvicorn --no-server-header, nginx server_tokens",
    )
    spool: str = option(
        "auto",
        Kind("DIR"),
        help='directory for temporary files of requests and responses too large for memory; "none"'
        " disables them",
        why="the system's temporary directory if it is writable; none if the whole system is"
        " read-only",
        gunicorn="tmp_upload_dir",
        uwsgi="--upload-tmp, TMPDIR",
        waitress="TMPDIR",
    )
