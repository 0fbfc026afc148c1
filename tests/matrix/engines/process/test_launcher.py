"""The launcher: limits and users that bite, and nothing that outlives it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys

import pytest
from wsgi_matrix.engines.process import launcher as launcher_module

from tests.matrix.helpers import gone, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="uids of their own need root")
UID = 1_900_000_000 + os.getpid()
"""A user of this run alone: RLIMIT_NPROC counts what a user has on the whole machine."""

FORKS = """
import os, time
made = 0
try:
    while made < 100:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        made += 1
except OSError as problem:
    print(made, problem.errno, os.getuid(), flush=True)
"""
ESCAPES = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600 if sys.argv[1:] else 0)
"""


@contextlib.contextmanager
def launched(tmp_path, *command, limits=None, uid=None):
    """The launcher with a server of our own making; yields it and a reader of the log."""
    log = tmp_path / "log"
    log.touch()
    spec = {
        "command": [sys.executable, "-c", *command],
        "environment": {},
        "folder": str(tmp_path),
        "limits": limits or {},
        "log": str(log),
        "uid": uid,
    }
    with subprocess.Popen(
        [sys.executable, "-I", "-S", launcher_module.__file__, json.dumps(spec)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as launcher:
        try:
            yield launcher, log.read_text
        finally:
            launcher.kill()


@needs_root
def test_nproc_bites_because_the_server_has_a_uid_of_its_own(tmp_path):
    with launched(tmp_path, FORKS, limits={"nproc": 10}, uid=UID) as (_, log):
        made, number, uid = wait_until(log).split()
    assert (int(made), int(number), int(uid)) == (9, 11, UID)


@needs_root
def test_the_uid_has_one_capability_and_no_way_to_more(tmp_path):
    show = "print(open('/proc/self/status').read(), flush=True)"
    with launched(tmp_path, show, uid=UID) as (_, log):
        text = wait_until(log)
    fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert int(fields["CapEff"], 16) & ~(1 << 2) == 0
    assert fields["NoNewPrivs"] == "1"
    assert fields["Groups"].strip() == ""


def test_processes_that_leave_the_session_die_with_the_cell(tmp_path):
    with launched(tmp_path, ESCAPES, "stay") as (launcher, log):
        pid = int(wait_until(log))
        launcher.stdin.close()
        launcher.wait(120)
        assert gone(pid)


def test_a_server_that_ends_before_its_children_is_told_of(tmp_path):
    with launched(tmp_path, ESCAPES) as (launcher, log):
        lines = [json.loads(line) for line in launcher.stdout]
        pid = int(log())
    assert lines[-1] == {"status": 0, "left": 1}
    assert gone(pid)
