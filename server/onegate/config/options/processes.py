"""Master and workers."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import Flag, Kind, Mode, Seconds, Size, Whole


class Processes(Group, title="Processes"):
    """Options on processes, their life and what they may use."""

    workers: int = option(
        1,
        Whole(1),
        short="-w",
        help="number of worker processes",
        why="one is right for a container that is scaled from outside; WEB_CONCURRENCY, which"
        " platforms set by memory, comes before it",
        gunicorn="workers 1 or $WEB_CONCURRENCY",
        uwsgi="--processes 1",
        waitress="one process",
        others="granian 1, puma $WEB_CONCURRENCY",
    )
    threads: int = option(
        1,
        Whole(1),
        help="calls of the application at once in a worker; with 1 a worker never interleaves them",
        why="not every application is safe to be called by two threads",
        gunicorn="threads 1",
        uwsgi="--threads 1",
        waitress="threads 4",
        others="cheroot 10, mod_wsgi 15",
    )
    worker_connections: int = option(
        16384,
        Whole(1),
        help="connections that a worker holds at once, at most; RLIMIT_NOFILE may allow fewer",
        why="memory has to be bounded however many descriptors there are",
        gunicorn="worker_connections 1000",
        waitress="connection_limit 100",
        others="granian --backpressure",
    )
    raise_nofile: bool = option(
        False,
        Flag(),
        help="raise the soft limit of open files to the hard one",
        why="a limit is somebody's decision; programs that use select() or close all descriptors"
        " suffer when it changes under them",
        uwsgi="--max-fd",
        others="nginx worker_rlimit_nofile",
    )
    timeout: float = option(
        30.0,
        Seconds(zero=True),
        short="-t",
        help="kill a worker whose call of the application takes longer than this, and log where it"
        " stood; 0 for never",
        why="the usual proxies give up after 60 s, so nobody waits for what comes later, and a"
        " hung worker must not hang for good; half of that as in gunicorn",
        gunicorn="timeout 30",
        uwsgi="--harakiri 0",
        others="puma worker_timeout 60",
    )
    graceful_timeout: float = option(
        30.0,
        Seconds(),
        help="for requests in flight when the server stops",
        why="what Kubernetes grants between TERM and KILL",
        gunicorn="graceful_timeout 30",
        uwsgi="--worker-reload-mercy 60",
        waitress="5, fixed",
    )
    drain_delay: float = option(
        0.0,
        Seconds(zero=True),
        help="go on accepting for so long after TERM, until balancers have learnt of it",
        why="only who runs behind such a balancer (Kubernetes) needs it, and everybody else waits",
        others="a preStop hook that sleeps",
    )
    max_requests: int = option(
        0,
        Whole(0),
        help="replace a worker after so many requests; 0 for never",
        why="a remedy for applications that leak; others need none",
        gunicorn="max_requests 0",
        uwsgi="--max-requests 0",
        others="mod_wsgi maximum-requests 0",
    )
    max_requests_jitter: int = option(
        0,
        Whole(0),
        help="and up to so many more, at random, so that workers are not replaced all at once",
        why="as max_requests",
        gunicorn="max_requests_jitter 0",
        uwsgi="--max-requests-delta 0",
    )
    max_worker_memory: int = option(
        0,
        Size(),
        help="replace a worker whose resident memory is above this, between two requests; one that"
        " is so within a minute later each time, after 1 to 30 s, with a warning; 0 for never",
        why="as max_requests",
        uwsgi="--reload-on-rss 0",
        others="granian --workers-max-rss, mod_wsgi memory-limit",
    )
    max_worker_lifetime: float = option(
        0.0,
        Seconds(zero=True),
        help="replace a worker after so long; 0 for never",
        why="as max_requests",
        uwsgi="--max-worker-lifetime 0",
        others="granian --workers-lifetime, mod_wsgi restart-interval",
    )
    user: str = option(
        "",
        Kind("USER"),
        short="-u",
        help="name or number of the user that the workers run as, and to whom Unix sockets belong",
        why="the one who started it",
        gunicorn="user",
        uwsgi="--uid",
        others="mod_wsgi user=",
    )
    group: str = option(
        "",
        Kind("GROUP"),
        short="-g",
        help="name or number of the group that the workers run as, and of Unix sockets",
        why="the user's own",
        gunicorn="group",
        uwsgi="--gid",
        others="mod_wsgi group=",
    )
    umask: int | None = option(
        None,
        Mode(),
        short="-m",
        help="permission bits that new files do not get, in octal",
        why="the one it was started with",
        gunicorn="umask 0",
        uwsgi="--umask",
        others="mod_wsgi umask=",
    )
    pidfile: str = option(
        "",
        Kind("FILE"),
        short="-p",
        help="write the master's process number here",
        why="process managers know their children without it",
        gunicorn="pidfile",
        uwsgi="--pidfile",
        others="granian --pid-file",
    )
