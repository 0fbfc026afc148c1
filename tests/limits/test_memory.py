"""What a worker does not carry: modules that few need are imported where they are needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import onegate
import pytest

from tests.server.helpers import serving

MODULES = """
import sys

def app(environ, start_response):
    start_response("200 OK", [])
    return [repr(sorted(sys.modules)).replace("'", '"').encode()]
"""
COSTLY = {
    # a record
    "dataclasses", "inspect", "ast", "dis", "opcode",
    # the command line
    "argparse", "gettext", "locale", "shutil", "difflib", "shlex", "tomllib",
    # types, for those who check them
    "typing",
    # a path, and an address in percent-encoding
    "pathlib", "fnmatch", "ntpath", "urllib", "urllib.parse",
    # an address
    "ipaddress", "encodings.idna", "stringprep", "unicodedata",
    # the phrases of all statuses
    "http",
    # the settings, after they are read
    "onegate.config.arguments", "onegate.config.option", "onegate.config.options",
    "onegate.config.settings", "onegate.config.sources", "onegate.config.types",
    # what a setting, a mistake or another command asks for
    "ctypes", "json", "ssl", "tempfile",
    "onegate._suggest", "onegate.check_config", "onegate.config.dump", "onegate.config.help",
    "onegate.logs.access_format", "onegate.logs.access_log", "onegate.master.status_app",
    "onegate.master.zygote",
    "onegate.migrate", "onegate.net.proxy_protocol", "onegate.net.tls", "onegate.paste",
    "onegate.process.hook_loader", "onegate.process.privileges", "onegate.serving",
    "onegate.worker.autoreload", "onegate.worker.response_counts",
    "onegate.worker.leader_followers",
    # other servers and clients
    "asyncio", "email", "http.client", "http.server", "multiprocessing", "subprocess",
}  # fmt: skip


def modules(folder: Path, *options: str) -> set[str]:
    """Those that a worker has, with an application that imports none."""
    with serving(folder, MODULES, *options) as server:
        return set(json.loads(server.get().content))


def test_a_worker_has_not_imported_what_it_does_not_need(tmp_path: Path) -> None:
    found = COSTLY & modules(tmp_path)
    assert not found


@pytest.mark.parametrize(
    ("option", "module"),
    [
        (["--access-log", "json"], "onegate.logs.access_log"),
        (["--threads", "2"], "onegate.worker.leader_followers"),
        (["--preload"], "onegate.master.zygote"),
        (["--forwarded-allow-ips", "10.0.0.0/8"], "ipaddress"),
    ],
)
def test_what_a_setting_asks_for_is_there(tmp_path: Path, option: list[str], module: str) -> None:
    assert module in modules(tmp_path, *option)


WEIGH = """
import gc, importlib, sys, tracemalloc

ours = [name for name in sys.argv[1:] if name.startswith("onegate")]
for name in set(sys.argv[1:]) - {*ours, "app", "__main__"}:
    try:
        importlib.import_module(name)
    except ImportError:  # made by another module
        pass
gc.collect()
tracemalloc.start()
for name in ours:
    importlib.import_module(name)
gc.collect()
print(tracemalloc.get_traced_memory()[0])
"""
KIB = {(3, 11): 1400, (3, 12): 1580, (3, 13): 1410}
"""5 % above the weight on 2026-11-28, by the version of Python; the largest for any other version.
Who needs more raises it and says in docs/design.md what for: every worker pays."""


def test_onegates_modules_in_a_worker_have_not_grown(tmp_path: Path) -> None:
    names = sorted(modules(tmp_path))
    assert "onegate.worker.connection" in names
    command = [sys.executable, "-c", WEIGH, *names]
    env = {**os.environ, "PYTHONPATH": str(Path(onegate.__file__).parents[1])}
    # Once to compile what is not compiled yet, which leaves more behind.
    sizes = [int(subprocess.run(command, env=env, stdout=-1, check=True).stdout) for _ in "12"]
    assert sizes[1] <= KIB.get(sys.version_info[:2], max(KIB.values())) * 1024
