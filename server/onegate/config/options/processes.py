"""Master and workers."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import Flag, Integer, Kind, Mode, Seconds, Size


class Processes(Group, title="Processes"):
    """Options on processes, their lifetime and resources."""

    workers: int = option(
        1,
        Integer(1),
        short="-w",
        help="number of worker processes",
        why="one suits a container that is scaled from outside; WEB_CONCURRENCY, which platforms"
        " derive from the memory, replaces this default",
        gunicorn="workers 1 or $WEB_CONCURRENCY",
        uwsgi="--processes 1",
        waitress="one process",
        others="granian 1, puma $WEB_CONCURRENCY",
    )
    threads: int = option(
        1,
        Integer(1),
        help="maximum number of concurrent calls to the application per worker; with 1, calls are"
        " never interleaved",
        why="not every application is thread-safe",
        gunicorn="threads 1",
        uwsgi="--threads 1",
        waitress="threads 4",
        others="cheroot 10, mod_wsgi 15",
    )
    worker_connections: int = option(
        16384,
        Integer(1),
        help="maximum number of open connections per worker; RLIMIT_NOFILE may lower it",
        why="bounds memory, however many descriptors there are",
        gunicorn="worker_connections 1000",
        waitress="connection_limit 100",
        others="granian --backpressure",
    )
    raise_nofile: bool = option(
        False,
        Flag(),
        help="raise the soft limit on open files to the hard limit, at most to 65536",
        why="a limit may be deliberate, and programs that use select() or close all descriptors"
        " suffer when it changes under them",
        uwsgi="--max-fd",
        others="nginx worker_rlimit_nofile",
    )
    timeout: float = option(
        30.0,
        Seconds(zero=True),
        short="-t",
        help="kill a worker whose call to the application takes longer than this many seconds, and"
        " log its stack; 0 disables",
        why="common proxies give up after 60 s, so nobody waits for a later response, and a hung"
        " worker must not hang forever; half of that, as in gunicorn",
        gunicorn="timeout 30",
        uwsgi="--harakiri 0",
        others="puma worker_timeout 60",
    )
    graceful_timeout: float = option(
        30.0,
        Seconds(),
        help="seconds for requests in flight to finish after a stop signal; then their connections"
        " are closed, and workers still in a call are killed",
        why="as in gunicorn; the platform's grace period between TERM and KILL (in Kubernetes, 30 s"
        " by default) must be longer than drain_delay and this together",
        gunicorn="graceful_timeout 30",
        uwsgi="--worker-reload-mercy 60",
        waitress="5, fixed",
    )
    drain_delay: float = option(
        0.0,
        Seconds(zero=True),
        help="seconds to keep accepting connections after TERM while /ready reports 503, until load"
        " balancers have noticed",
        why="only deployments behind such balancers (Kubernetes) need it; elsewhere it would"
        " only delay the stop",
        others="a preStop hook that sleeps",
    )
    max_requests: int = option(
        0,
        Integer(0),
        help="replace a worker after this many requests; 0 disables",
        why="a remedy for applications that leak memory; others need none",
        gunicorn="max_requests 0",
        uwsgi="--max-requests 0",
        others="mod_wsgi maximum-requests 0",
    )
    max_requests_jitter: int = option(
        0,
        Integer(0),
        help="add a random 0…N to --max-requests, so that workers do not restart together",
        why="same reason as max_requests",
        gunicorn="max_requests_jitter 0",
        uwsgi="--max-requests-delta 0",
    )
    max_worker_memory: int = option(
        0,
        Size(),
        help="replace a worker, between requests, once its resident memory exceeds this many bytes;"
        " one that exceeds it within a minute of starting is replaced after an increasing delay"
        " (1 to 30 s), with a warning; 0 disables",
        why="same reason as max_requests",
        uwsgi="--reload-on-rss 0",
        others="granian --workers-max-rss, mod_wsgi memory-limit",
    )
    max_worker_lifetime: float = option(
        0.0,
        Seconds(zero=True),
        help="replace a worker after this many seconds; 0 disables",
        why="same reason as max_requests",
        uwsgi="--max-worker-lifetime 0",
        others="granian --workers-lifetime, mod_wsgi restart-interval",
    )
    user: str = option(
        "",
        Kind("USER"),
        short="-u",
        help="user to run the workers as, by name or uid; also owns the Unix sockets",
        why="the user who starts onegate",
        gunicorn="user",
        uwsgi="--uid",
        others="mod_wsgi user=",
    )
    group: str = option(
        "",
        Kind("GROUP"),
        short="-g",
        help="group to run the workers as, by name or gid; also owns the Unix sockets",
        why="the primary group of that user",
        gunicorn="group",
        uwsgi="--gid",
        others="mod_wsgi group=",
    )
    umask: int | None = option(
        None,
        Mode(),
        short="-m",
        help="permission bits to clear on new files, in octal",
        why="the inherited umask",
        gunicorn="umask 0",
        uwsgi="--umask",
        others="mod_wsgi umask=",
    )
    pidfile: str = option(
        "",
        Kind("FILE"),
        short="-p",
        help="write the pid of the master to this file",
        why="process managers know the pids of their children",
        gunicorn="pidfile",
        uwsgi="--pidfile",
        others="granian --pid-file",
    )
