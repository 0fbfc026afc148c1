"""Addresses, TLS and trusted proxies."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import Flag, Integer, Kind, Mode, Strings


class Network(Group, title="Network"):
    """Options on addresses, TLS and proxies."""

    bind: tuple[str, ...] = option(
        ("127.0.0.1:8000",),
        Strings("ADDRESS"),
        short="-b",
        help="listen on HOST:PORT, [IPV6]:PORT, unix:PATH, unix:@NAME (an abstract socket) or fd://N"
        " (an inherited descriptor); repeatable. [::] accepts IPv4 as well, unless another"
        " listener has that port for IPv4; port 0 lets the system choose one, which is logged",
        why="reachable from this machine only, until configured otherwise; with PORT in the"
        " environment it is 0.0.0.0:$PORT, because a platform that sets PORT routes to it from"
        " outside",
        gunicorn="bind 127.0.0.1:8000 or 0.0.0.0:$PORT",
        uwsgi="--http-socket",
        waitress="listen *:8080",
    )
    backlog: int = option(
        2048,
        Integer(1),
        help="maximum number of connections that wait in the kernel to be accepted; capped by"
        " net.core.somaxconn",
        why="no client is refused while all workers are busy; somaxconn is 4096 on current Linux",
        gunicorn="backlog 2048",
        uwsgi="--listen 100",
        waitress="backlog 1024",
        others="puma 1024, granian 1024, cheroot 5",
    )
    socket_mode: int | None = option(
        None,
        Mode(),
        help="permissions of a Unix socket that onegate creates, in octal",
        why="the umask decides, as for any file",
        gunicorn="(umask)",
        uwsgi="--chmod-socket",
        waitress="unix_socket_perms 600",
        others="granian --uds-permissions",
    )
    status: str = option(
        "",
        Kind("ADDRESS"),
        help="serve /live, /ready, /metrics and /status on this second address, even while every"
        " worker is busy",
        why="its numbers stay private until an operator exposes them",
        gunicorn="control_socket, statsd_host",
        uwsgi="--stats",
        others="granian --metrics, puma control app",
    )
    certfile: str = option(
        "",
        Kind("FILE"),
        help="PEM file with the certificate chain; enables TLS",
        why="TLS usually ends at the proxy in front",
        gunicorn="certfile",
        uwsgi="--https",
        others="cheroot, granian, puma",
    )
    keyfile: str = option(
        "",
        Kind("FILE"),
        help="PEM file with the private key, if it is not in --certfile",
        why="one file may hold both",
        gunicorn="keyfile",
        uwsgi="--https",
        others="cheroot, granian, puma",
    )
    forwarded_allow_ips: str = option(
        "127.0.0.1,::1",
        Kind("LIST"),
        help="comma-separated addresses and networks of proxies whose forwarding fields"
        " (--forwarded-headers) are trusted; * trusts every peer",
        why="a proxy on this machine; anybody else could forge a client's address",
        gunicorn="forwarded_allow_ips 127.0.0.1,::1",
        waitress="trusted_proxy",
        others="mod_wsgi WSGITrustedProxies",
    )
    forwarded_headers: str = option(
        "x-forwarded-for,x-forwarded-proto",
        Kind("LIST"),
        help="which of forwarded, x-forwarded-for, x-forwarded-proto and x-forwarded-host to honour"
        " from those proxies; the others are ignored",
        why="the two that nearly every proxy sets; a field that a proxy does not set reaches"
        " onegate as the client sent it",
        gunicorn="secure_scheme_headers",
        waitress="trusted_proxy_headers",
        others="mod_wsgi WSGITrustedProxyHeaders",
    )
    proxy_protocol: bool = option(
        False,
        Flag(),
        help="require a PROXY protocol header, version 1 or 2, on every connection from"
        " --forwarded-allow-ips",
        why="if it were optional, any client could forge its address",
        gunicorn="proxy_protocol off",
        uwsgi="--enable-proxy-protocol",
        others="puma set_remote_address",
    )
