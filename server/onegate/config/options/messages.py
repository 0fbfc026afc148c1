"""How long and how large requests and answers may be."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import FieldValue, Kind, Seconds, Size, Whole


class Messages(Group, title="Requests and answers"):
    """Options on time and room for requests and answers."""

    head_timeout: float = option(
        30.0,
        Seconds(),
        help="for a request's head, from the first octet or the connect",
        why="a waiting client costs a descriptor, not a worker, so there is time for the slow",
        uwsgi="--socket-timeout 4, a read",
        waitress="channel_timeout 120",
        others="granian 30, puma first_data_timeout 30, cheroot 10",
    )
    body_timeout: float = option(
        30.0,
        Seconds(),
        help="for every 16 KiB of a request's content",
        why="0.5 KiB a second is slower than any line in use; a trickle below it is an attack",
        uwsgi="--socket-timeout 4, a read",
        waitress="channel_timeout 120",
        others="Apache RequestReadTimeout 20 and 500 octets a second",
    )
    keepalive: float = option(
        75.0,
        Seconds(),
        flag="--keep-alive",
        help="how long a connection may wait for its next request",
        why="longer than the 60 s after which the usual load balancers let go, so that it is they"
        " who close: the other way round a request meets a closed connection, a 502",
        gunicorn="keepalive 2",
        uwsgi="--http-keepalive off",
        waitress="channel_timeout 120",
        others="puma persistent_timeout 65, nginx 75",
    )
    write_timeout: float = option(
        30.0,
        Seconds(),
        help="in which a client has to take 16 KiB of an answer",
        why="as body_timeout",
        gunicorn="timeout 30",
        uwsgi="--socket-timeout 4",
        waitress="channel_timeout 120",
        others="nginx send_timeout 60",
    )
    limit_request_line: int = option(
        8190,
        Size(zero=False),
        help="octets of a request line",
        why="RFC 9112, section 3, asks for 8000 at least; Apache's number",
        gunicorn="limit_request_line 4094",
        uwsgi="--buffer-size 4096, whole head",
        waitress="within the head",
        others="Apache 8190, nginx 8k",
    )
    limit_request_fields: int = option(
        100,
        Whole(1),
        help="field lines of a request",
        why="browsers send about 20, a chain of proxies adds a few",
        gunicorn="limit_request_fields 100",
        uwsgi="--max-vars 64",
        others="Apache 100",
    )
    limit_request_field_size: int = option(
        8190,
        Size(zero=False),
        help="octets of a field line",
        why="room for the tokens and cookies that are in use",
        gunicorn="limit_request_field_size 8190",
        uwsgi="--buffer-size 4096, whole head",
        waitress="within the head",
        others="Apache 8190, nginx 8k",
    )
    limit_request_head: int = option(
        64 << 10,
        Size(zero=False),
        help="octets of a whole head",
        why="a bound for memory: the limits above allow 800 KiB together",
        uwsgi="--buffer-size 4096",
        waitress="max_request_header_size 262144",
        others="granian 417792, puma 112k, nginx 32k",
    )
    limit_request_body: int = option(
        1 << 30,
        Size(),
        help="octets of a request's content",
        why="Apache's and waitress's; large uploads pass, a disk is not filled by one request",
        uwsgi="--limit-post 0, no limit",
        waitress="max_request_body_size 1G",
        others="Apache 1G, nginx 1m, puma none",
    )
    body_memory: int = option(
        1 << 20,
        Size(),
        help="octets of a content kept in memory; more is spooled",
        why="an ordinary form, JSON document or picture never touches a disk",
        uwsgi="--post-buffering 0",
        waitress="inbuf_overflow 512k",
        others="puma 112k",
    )
    response_memory: int = option(
        1 << 20,
        Size(),
        help="octets of an answer kept in memory for a slow client; more is spooled",
        why="an ordinary page leaves the worker at once, however slow its client is",
        waitress="outbuf_overflow 1M",
    )
    server_header: str = option(
        "onegate",
        FieldValue(),
        help="the Server field of responses in which the application sets none;"
        ' "none" leaves it out',
        why="RFC 9110, section 10.2.4, warns of needless detail: a name, and no version",
        waitress="ident waitress",
        others="uvicorn --no-server-header, nginx server_tokens",
    )
    spool: str = option(
        "auto",
        Kind("DIR"),
        help='folder for contents and answers too large for memory; "none" to use no disk',
        why="the system's folder for temporary files, if it can be written to; none if the whole"
        " system is read-only",
        gunicorn="tmp_upload_dir",
        uwsgi="--upload-tmp, TMPDIR",
        waitress="TMPDIR",
    )
