"""Where it listens, and whom it believes."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import Flag, Kind, Mode, Texts, Whole


class Network(Group, title="Network"):
    """Options on addresses, TLS and proxies."""

    bind: tuple[str, ...] = option(
        ("127.0.0.1:8000",),
        Texts("ADDRESS"),
        short="-b",
        help="listen on HOST:PORT, [IPV6]:PORT, unix:PATH, unix:@NAME (an abstract socket) or"
        " fd://N; may be repeated; [::] takes IPv4 too, unless that has a listener of its own on"
        " the port; port 0 lets the system choose and prints what it chose",
        why="reachable from this machine alone until told otherwise; with PORT in the environment"
        " it is 0.0.0.0:$PORT, because who sets PORT routes to it from outside",
        gunicorn="bind 127.0.0.1:8000 or 0.0.0.0:$PORT",
        uwsgi="--http-socket",
        waitress="listen *:8080",
    )
    backlog: int = option(
        2048,
        Whole(1),
        help="connections that the kernel may hold for us; net.core.somaxconn bounds it",
        why="nobody is refused while all workers are busy; somaxconn is 4096 on today's Linux",
        gunicorn="backlog 2048",
        uwsgi="--listen 100",
        waitress="backlog 1024",
        others="puma 1024, granian 1024, cheroot 5",
    )
    socket_mode: int | None = option(
        None,
        Mode(),
        help="permission bits of a Unix socket that is made, in octal",
        why="the umask decides, as for every file",
        gunicorn="(umask)",
        uwsgi="--chmod-socket",
        waitress="unix_socket_perms 600",
        others="granian --uds-permissions",
    )
    status: str = option(
        "",
        Kind("ADDRESS"),
        help="a second listener, answered even when every worker is busy: /live, /ready, /metrics"
        " and /status",
        why="what it tells is nobody's business until an operator asks for it",
        gunicorn="control_socket, statsd_host",
        uwsgi="--stats",
        others="granian --metrics, puma control app",
    )
    certfile: str = option(
        "",
        Kind("FILE"),
        help="certificate chain in PEM; serves TLS",
        why="TLS mostly ends at the proxy in front",
        gunicorn="certfile",
        uwsgi="--https",
        others="cheroot, granian, puma",
    )
    keyfile: str = option(
        "",
        Kind("FILE"),
        help="its private key in PEM, if in a file apart",
        why="one file may hold both",
        gunicorn="keyfile",
        uwsgi="--https",
        others="cheroot, granian, puma",
    )
    forwarded_allow_ips: str = option(
        "127.0.0.1,::1",
        Kind("LIST"),
        help="addresses and networks of proxies that are believed about their clients, * for all",
        why="a proxy on this machine; anybody else could forge an address",
        gunicorn="forwarded_allow_ips 127.0.0.1,::1",
        waitress="trusted_proxy",
        others="mod_wsgi WSGITrustedProxies",
    )
    forwarded_headers: str = option(
        "x-forwarded-for,x-forwarded-proto",
        Kind("LIST"),
        help="which of forwarded, x-forwarded-for, x-forwarded-proto and x-forwarded-host such a"
        " proxy is known to set",
        why="the two that nearly every proxy sets; one that sets only these passes the others on"
        " as the client sent them",
        gunicorn="secure_scheme_headers",
        waitress="trusted_proxy_headers",
        others="mod_wsgi WSGITrustedProxyHeaders",
    )
    proxy_protocol: bool = option(
        False,
        Flag(),
        help="require a PROXY protocol header, version 1 or 2, of the peers in"
        " --forwarded-allow-ips",
        why="to guess whether one is there would let any client forge an address",
        gunicorn="proxy_protocol off",
        uwsgi="--enable-proxy-protocol",
        others="puma set_remote_address",
    )
