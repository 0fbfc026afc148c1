"""Run muru as it is run in production: MURUCTL FOLDER PORT THREADS WORKERS STATE.

``muructl run`` is for development: it trusts no proxy, so that the application gets no
X-Forwarded-For. The daemon takes its application with a second command, and leaves the processes
that serve to a successor unless a third one tells it to end them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

PATIENCE = 20.0  # seconds for the daemon to accept an application

DAEMON = """
[[listener]]
address = "127.0.0.1:{port}"

[proxy]
trusted = ["127.0.0.1"]
forwarded_headers = "keep"
headers = [
  "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port",
]

[limits]
max_connections_per_client = 0
keep_alive_timeout = "75s"

[compression]
enabled = false
"""
APP = """
[app.app.release.r1]
source = "{folder}"
entrypoint = "app:app"
interface = "wsgi"
python = "{python}"
processes = {workers}
threads = {threads}
preload = "false"

[app.app.release.r1.env]
BENCH_APP = "{bench_app}"
PYTHONDONTWRITEBYTECODE = "1"
"""


def main(muructl: str, folder: str, port: str, threads: str, workers: str, *, state: Path) -> int:
    """Start the daemon and its application, and end both when a signal asks for it."""
    state.mkdir(parents=True, exist_ok=True)
    fields = {
        "port": port,
        "folder": folder,
        "python": sys.executable,
        "workers": workers,
        "threads": threads,
        "bench_app": os.environ.get("BENCH_APP", ""),
    }
    places = ["--config", str(state / "daemon.toml")]
    for kind in ("state", "run", "log", "cache"):
        places += [f"--{kind}-dir", str(state / kind)]
    (state / "daemon.toml").write_text(DAEMON.format(**fields))
    (state / "app.toml").write_text(APP.format(**fields))
    # It cannot be told to keep no access log.
    (state / "log").mkdir(exist_ok=True)
    (state / "log/access.log").symlink_to("/dev/null")
    daemon = subprocess.Popen([muructl, "daemon", "run", *places])

    def stop(number: int, frame: FrameType | None) -> None:
        subprocess.run([muructl, "daemon", "stop", "--shutdown", *places], check=False)

    signal.signal(signal.SIGTERM, stop)
    deadline = time.monotonic() + PATIENCE
    apply = [muructl, "apply", "--file", str(state / "app.toml"), *places]
    while daemon.poll() is None and subprocess.run(apply, check=False).returncode:
        if time.monotonic() > deadline:
            stop(0, None)
            break
        time.sleep(0.1)
    return daemon.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:6], state=Path(sys.argv[6])))
