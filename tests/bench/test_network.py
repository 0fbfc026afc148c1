"""The network of our own: a loopback that works, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.process import ROOT

AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

# In a process of its own: there is no way back.
SCRIPT = """
import os, socket
from bench.network import enter_own_network
outside = os.getuid()
if not enter_own_network():
    raise SystemExit("not allowed")
assert os.getuid() == outside
assert [name for _, name in socket.if_nameindex()] == ["lo"]
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname(), timeout=60).close()
print(os.readlink("/proc/self/ns/net"))
"""


@pytest.mark.parametrize("user", [[], AS_NOBODY], ids=["as we are", "as nobody"])
def test_only_a_loopback_is_there_and_it_works(user: list[str]) -> None:
    run = subprocess.run(
        [*user, sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if "not allowed" in run.stderr or "setpriv" in run.stderr or "Permission" in run.stderr:
        pytest.skip(run.stderr.strip())
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() != str(Path("/proc/self/ns/net").readlink())
