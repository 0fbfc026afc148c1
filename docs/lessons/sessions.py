"""Runs the sessions that the pages of the lessons show, and writes what they really showed.

python -m docs.lessons.sessions [NAME...]   run them and write the pages (all, or those named)

A page's blocks of ``console`` are one session: the lines that begin with ``$`` are typed into one
shell, one after the other. It runs in a container of its own, as a user that is not root, without a
network; where no engine answers, as processes of this machine, which is said. README.md says when
and where all of them were run. Needs the package wsgi-matrix, for engines and bundles.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from wsgi_matrix.config import matrix_toml
from wsgi_matrix.engines.choose import REQUIRE_DOCKER
from wsgi_matrix.engines.process import launcher
from wsgi_matrix.errors import EngineError, SetupError
from wsgi_matrix.model.axes import Python
from wsgi_matrix.packaging import bundle, interpreters

from docs.generate import blocks, versions

PAGES = Path(__file__).resolve().parent
ROOT = PAGES.parent.parent
BUILD = ROOT / "build"
HOME = "/home/reader"
DEADLINE = 240.0
"""Seconds for a whole session."""
AT_A_TIME = 3
LABEL = "org.onegate.wsgi-matrix"

NOT_SERVED = (
    r"(?m)(?:^ *\d+ (?:no answer, then ECONNRESET|closed without an answer|"
    r"not connected: ECONNREFUSED)\n)+"
)
BLOCK = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
LAST = re.compile(r"(?<=<!-- output of the last command -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)


def pages() -> dict[str, Path]:
    """The pages with a session, by their name without suffix."""
    found = {path.stem: path for path in sorted(PAGES.glob("[0-9]*.md"))}
    return {name: path for name, path in found.items() if BLOCK.search(path.read_text())}


def commands(page: str) -> list[str]:
    """What is typed. A line that ends in a backslash goes on in the next, which begins with >."""
    lines = "".join(BLOCK.findall(page)).splitlines()
    found: list[str] = []
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("$ "):
            found.append(line[2:])
        elif line.startswith("> ") and before.endswith("\\"):
            found[-1] += "\n" + line[2:]
    return found


def shown(page: str) -> list[str]:
    """What the page says that each of its commands showed."""
    text = "".join(BLOCK.findall(page))
    parts = re.split(r"(?m)^\$ (?:.*\\\n> )*.*\n", text)[1:]
    if last := LAST.search(page):
        parts[-1] = last[1]
    return parts


def write(page: str, outputs: list[str]) -> str:
    """``page`` with ``outputs`` below its commands."""
    below = [*outputs[:-1], ""] if LAST.search(page) else outputs
    there = iter(zip(commands(page), below, strict=True))

    def block(found: re.Match[str]) -> str:
        count = len(re.findall(r"(?m)^\$ ", found[1]))
        text = ""
        for _, (command, output) in zip(range(count), there, strict=False):
            text += "$ " + command.replace("\n", "\n> ") + "\n" + output
        return f"```console\n{text}```\n"

    page = BLOCK.sub(block, page)
    # Where the last command writes Markdown, it is shown as that, and not as its source.
    return LAST.sub(lambda _: outputs[-1], page)


def shape(output: str) -> str:
    """``output`` without what differs each time: times, ports, ids, and counts that may vary."""
    names: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        kind = found[1]
        return names.setdefault(found[0], f"{kind}#{len(names) + 1}")

    output = re.sub(r"\d+\.\d+ s\b", "S s", output)
    output = re.sub(r"\b(pid )\d+", name, output)
    output = re.sub(r"(socket:\[)\d+\]", name, output)
    # Ephemeral ports: 32768 to 60999 (ip(7), ip_local_port_range).
    output = re.sub(r"(127\.0\.0\.1:)(?:[345]\d|60)\d{3}\b", name, output)
    output = re.sub(r"\b(SHA-256 |)[0-9a-f]{12,64}\b", name, output)
    # How many of hundreds got through before the end, and how many signals merged, is chance.
    output = re.sub(r"\b[1-9]\d\d zombie", "N zombie", output)
    output = re.sub(r" *\b[2-9]\d\d (?=answer)", "N ", output)
    # Those whom a dying server left are told of it here or there, as it happens.
    return re.sub(NOT_SERVED, "N not served\n", output)


def files() -> dict[str, bytes]:
    """What a session finds: lessons, apps, the server, and the packages of the apps."""
    found: dict[str, bytes] = {"shell.py": (PAGES / "shell.py").read_bytes()}
    for folder in ("lessons", "server/onegate", "apps"):
        for path in bundle.files(ROOT / folder):
            found[str(path.relative_to(ROOT))] = path.read_bytes()
    return found


def packages(python: Python, platform: str | None) -> dict[str, bytes]:
    """The apps' packages, where Python looks for a user's own."""
    matrix = matrix_toml.load(ROOT / "lessons" / "matrix.toml", BUILD)
    found = {}
    for app in matrix.apps.values():
        lib = bundle.ensure_bundle(app, python, BUILD, platform).lib
        for path in bundle.files(lib):
            name = path.relative_to(lib).as_posix()
            found[f".local/lib/python{python.version}/site-packages/{name}"] = path.read_bytes()
    return found


def _content(
    typed: list[str], files: dict[str, bytes], packages: dict[str, bytes]
) -> dict[str, bytes]:
    """What there is for a session: packages, which are many, only where an app is run."""
    mine = packages if any("apps/" in command for command in typed) else {}
    return {**files, **mine, "session.json": json.dumps(typed).encode()}


def archive(content: dict[str, bytes], uid: int) -> bytes:
    """``content`` as the home of a reader."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as pack:
        folders = {parent for name in content for parent in Path(name).parents}
        for folder in sorted(folders):
            entry = tarfile.TarInfo(f".{HOME}/{folder}")
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, uid, uid
            pack.addfile(entry)
        for name, data in content.items():
            entry = tarfile.TarInfo(f".{HOME}/{name}")
            entry.size, entry.mode, entry.uid, entry.gid = len(data), 0o644, uid, uid
            pack.addfile(entry, io.BytesIO(data))
    return target.getvalue()


class Containers:
    """Sessions in containers. Raises :class:`EngineError` where no engine answers."""

    def __init__(self) -> None:
        from wsgi_matrix.engines.docker.base_images import ensure_base  # noqa: PLC0415 - slow to import
        from wsgi_matrix.engines.docker.client import OWNER, connect  # noqa: PLC0415
        from wsgi_matrix.engines.docker.prepare import PLATFORMS  # noqa: PLC0415
        from wsgi_matrix.util.process_owner import owner  # noqa: PLC0415

        self.client = connect()
        python = matrix_toml.load(ROOT / "lessons" / "matrix.toml", BUILD).pythons["3.11"]
        self.base = ensure_base(self.client, python, lambda *_: None, BUILD)
        self.files = files()
        self.packages = packages(python, PLATFORMS[self.base.architecture])
        self.labels = {LABEL: "session", OWNER: owner()}

    def run(self, typed: list[str]) -> list[str]:
        """What each of the commands showed."""
        uid = random.randrange(60_001, 65_000)  # noqa: S311 - RLIMIT_NPROC counts per uid
        content = _content(typed, self.files, self.packages)
        container = self.client.create_container(
            self.base.reference,
            entrypoint=["python3", "-I", "-S", f"{HOME}/shell.py", f"{HOME}/session.json"],
            user=f"{uid}:{uid}",
            working_dir=HOME,
            environment={"HOME": HOME, "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
            labels=self.labels,
            host_config=self.client.create_host_config(
                network_mode="none",
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                pids_limit=4096,
                init=True,
            ),
        )["Id"]
        try:
            self.client.put_archive(container, "/", archive(content, uid))
            self.client.start(container)
            until = time.monotonic() + DEADLINE
            while self.client.inspect_container(container)["State"]["Running"]:
                if time.monotonic() > until:
                    raise TimeoutError(f"a session went on for {DEADLINE:.0f} s")
                time.sleep(0.1)
            said = self.client.logs(container).decode()
        finally:
            self.client.remove_container(container, force=True)
        return _outputs(said)


class Processes:
    """Sessions as processes of this machine, as a user of their own where we are root."""

    def __init__(self) -> None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        self.files = files()
        self.packages = packages(Python(version=version), None)
        found = interpreters.find(version)
        if found is None:
            raise SetupError(f"no working python{version} was found on this machine")
        self.python = found[0]

    def run(self, typed: list[str]) -> list[str]:
        """What each of the commands showed."""
        uid = random.randrange(2_000_000, 3_000_000) if os.geteuid() == 0 else None  # noqa: S311
        with tempfile.TemporaryDirectory(prefix="lesson-") as folder:
            top = Path(folder)
            top.chmod(0o755)
            home = top / HOME[1:]
            content = _content(typed, self.files, self.packages)
            with tarfile.open(fileobj=io.BytesIO(archive(content, uid or os.geteuid()))) as pack:
                pack.extractall(top, filter="fully_trusted")  # noqa: S202 - made by us just now
            (top / "bin").mkdir()
            (top / "bin" / "python3").symlink_to(self.python)
            log = top / "log"
            log.touch(0o666)
            spec = {
                "command": [
                    str(self.python),
                    "-I",
                    "-S",
                    f"{home}/shell.py",
                    f"{home}/session.json",
                ],
                "environment": {
                    "PATH": f"{top}/bin:{os.defpath}",
                    "HOME": str(home),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "LANG": "C.UTF-8",
                },
                "folder": str(home),
                "limits": {},
                "log": str(log),
                "uid": uid,
            }
            with _launched(spec) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    if b"status" in line or b"error" in line:
                        break
            said = log.read_text()
        return _outputs(said)


def _outputs(said: str) -> list[str]:
    """What shell.py told. Raises RuntimeError with its words if that is no list."""
    try:
        return list(json.loads(said.splitlines()[-1]))
    except (ValueError, IndexError):
        raise RuntimeError(f"a session did not come to its end: {said[-2000:]}") from None


@contextlib.contextmanager
def _launched(spec: Mapping[str, object]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-I", "-S", launcher.__file__, json.dumps(spec)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            yield process
        finally:
            process.stdin.close()  # which ends all of the session's processes


IN_CONTAINERS = "in containers"


def place() -> tuple[Containers | Processes, str]:
    """Where sessions run, and a notice for people."""
    try:
        return Containers(), IN_CONTAINERS
    except EngineError as problem:
        if os.environ.get(REQUIRE_DOCKER, "") not in ("", "0"):
            raise
        return Processes(), f"{problem}\nThe sessions run as processes: these are NOT containers."


def run(names: list[str]) -> dict[str, list[str]]:
    """The outputs of the sessions of the pages ``names``."""
    return run_at(names, *place())


def run_at(names: list[str], where: Containers | Processes, notice: str) -> dict[str, list[str]]:
    """The outputs of the sessions of the pages ``names``, run ``where``."""
    print(notice, file=sys.stderr)
    typed = [commands(pages()[name].read_text()) for name in names]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return dict(zip(names, pool.map(where.run, typed), strict=True))


def origin(notice: str) -> str:
    """When all sessions were run, where, and with which server."""
    where = IN_CONTAINERS if notice == IN_CONTAINERS else "as processes, NOT in containers"
    today = datetime.now(UTC).date().isoformat()
    return f"Written by `make lessons` on {today}, {where}, with onegate {versions.onegate()}."


def main() -> int:
    """Run sessions and write the pages."""
    names = sys.argv[1:] or list(pages())
    if unknown := set(names) - set(pages()):
        print(f"no such page with a session: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    where, notice = place()
    for name, outputs in run_at(names, where, notice).items():
        path = pages()[name]
        path.write_text(write(path.read_text(), outputs))
        print(f"written: {path.relative_to(ROOT)}")
    if set(names) == set(pages()):
        contents = PAGES / "README.md"
        contents.write_text(blocks.fill(contents.read_text(), "sessions", origin(notice)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
