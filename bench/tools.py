"""What a measurement needs: wrk, a venv with the peers and the frameworks, nginx.

Made once below ``build/bench``. What cannot be made here is told, with the command that helps.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.catalogue import APPS
from bench.model import ONEGATE, WIRE
from bench.process import ROOT
from docs.generate.versions import onegate as onegate_version

REQUIREMENTS = ROOT / "bench/requirements.txt"
PYSPY = "py-spy==0.4.3"
HEADERS = Path("/usr/include/ev.h")  # bjoern is compiled against libev


class ToolError(Exception):
    """Something is missing without which nothing can be measured. The text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Where things are. ``missing``: for a product that cannot run here, the reason."""

    state: Path
    places: dict[str, str]
    versions: dict[str, str]
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def python(self) -> str:
        """The interpreter that has the peers and the frameworks."""
        return self.places["python"]


def say(text: str) -> None:
    """Tell the user what is being done."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _apt_install(package: str) -> bool:
    """Install a package if this is Debian and we may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"installing {package}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", package]
    for update in (False, True):
        if update:
            subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        if not subprocess.run(
            command, env=environment, check=False, capture_output=True
        ).returncode:
            return True
    return False


def _wrk() -> str:
    """See to it that there is a wrk; return its version."""
    if not shutil.which("wrk") and not (_apt_install("wrk") and shutil.which("wrk")):
        raise ToolError("wrk was not found; on Debian and Ubuntu: apt-get install wrk")
    if not shutil.which("taskset"):
        raise ToolError("taskset was not found; on Debian and Ubuntu: apt-get install util-linux")
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return (said.stdout + said.stderr).split()[1]


def _nginx(state: Path) -> str:
    """The path of an nginx, unpacked from Debian's package where none is installed.

    Installing the package would start a server on this machine. Empty if there is none to have.
    """
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    unpacked = state / "nginx/usr/sbin/nginx"
    if found or unpacked.exists():
        return found or str(unpacked)
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return ""
    say("unpacking Debian's nginx")
    subprocess.run(
        ["apt-get", "download", "-qq", "nginx"], cwd=state, capture_output=True, check=False
    )
    for package in state.glob("nginx_*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, state / "nginx"], check=False)
    if unpacked.exists() and not subprocess.run([unpacked, "-v"], capture_output=True).returncode:  # noqa: PLW1510
        return str(unpacked)
    return ""


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise ToolError("uv was not found; run this as make bench, or: pip install uv")
    return found


def peers() -> dict[str, str]:
    """The pinned peers: name and requirement."""
    lines = REQUIREMENTS.read_text().splitlines()
    return {line.partition("==")[0]: line for line in lines if "==" in line}


def _venv(state: Path) -> tuple[Path, dict[str, str]]:
    """The venv, made anew when the frameworks' locks have changed, and what it could not get.

    A peer that is missing is tried again each time: a compiler or a header may have come since.
    """
    venv, stamp = state / "venv", state / "venv/.bench"
    locks = [ROOT / app.folder / "requirements.txt" for app in APPS if app.distribution]
    digest = hashlib.sha256(sys.version.encode())
    for file in locks:
        digest.update(file.read_bytes())
    uv = _uv()
    install = [uv, "pip", "install", "--quiet", "--python", str(venv / "bin/python")]
    if not stamp.exists() or stamp.read_text() != digest.hexdigest():
        say("making the venv; with the compiled peers this takes two minutes, once")
        create = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)]
        subprocess.run(create, check=True)
        frameworks = [part for lock in locks for part in ("--requirement", str(lock))]
        subprocess.run([*install, *frameworks], check=True, cwd=ROOT)
        stamp.write_text(digest.hexdigest())
    wanted = peers()
    there = _versions(venv / "bin/python", list(wanted))
    missing = {}
    for name, requirement in wanted.items():
        if f"{name}=={there.get(name)}" == requirement:
            continue
        if name == "bjoern" and not HEADERS.exists():
            _apt_install("libev-dev")
        say(f"installing {requirement}")
        run = subprocess.run([*install, requirement], capture_output=True, text=True, check=False)
        if run.returncode:
            missing[name] = f"cannot be installed here: {_reason(name, run.stderr)}"
    return venv, missing


def _reason(name: str, said: str) -> str:
    """Why an installation failed, in one line."""
    if name == "bjoern" and not HEADERS.exists():
        return "no headers of libev; on Debian and Ubuntu: apt-get install libev-dev"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "?")


def _versions(python: Path, names: list[str]) -> dict[str, str]:
    """The versions of distributions in the venv, of those that are there."""
    script = (
        "import sys, json\nfrom importlib.metadata import version, PackageNotFoundError\nv = {}\n"
        "for n in sys.argv[1:]:\n try: v[n] = version(n)\n except PackageNotFoundError: pass\n"
        "print(json.dumps(v))"
    )
    run = subprocess.run([python, "-c", script, *names], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(run.stdout)
    return found


def _onegate(state: Path) -> str:
    """Copy the server's sources, so that an edit meanwhile is not measured; return its version."""
    shutil.rmtree(state / "server", ignore_errors=True)
    shutil.copytree(
        ROOT / "server/onegate", state / "server/onegate", ignore=shutil.ignore_patterns("*.pyc")
    )
    return onegate_version()


def _compile(state: Path, venv: Path) -> None:
    """Compile what servers import, or the first one to do so would be seen with the work.

    Not the apps: a server writes no bytecode, so that each compiles them for itself.
    """
    folders = [state / "server", venv / "lib"]
    subprocess.run(
        [venv / "bin/python", "-m", "compileall", "-q", "-j", "0", *folders],
        stdout=subprocess.DEVNULL,  # some packages carry files for other versions of Python
        stderr=subprocess.DEVNULL,
        check=False,
    )


def prepare(state: Path) -> Tools:
    """Make or find everything. Raises :class:`ToolError` where that cannot be done."""
    state.mkdir(parents=True, exist_ok=True)
    versions = {"wrk": _wrk()}
    try:
        venv, missing = _venv(state)
    except subprocess.CalledProcessError as error:
        raise ToolError(f"the venv could not be made: {error}") from None
    (state / "large").write_bytes(b"x" * 102_400)
    python = venv / "bin/python"
    versions |= _versions(python, [*peers(), *(a.distribution for a in APPS if a.distribution)])
    versions |= {ONEGATE: _onegate(state), "python": sys.version.split()[0]}
    _compile(state, venv)
    nginx = _nginx(state)
    if nginx:
        said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=False)
        versions[WIRE] = said.stderr.strip().rpartition("/")[2]
    else:
        missing[WIRE] = "not installed, and no package of it to unpack"
    places = {
        "python": str(python),
        "bin": str(venv / "bin"),
        "venv": str(venv),
        "scripts": str(ROOT / "bench/scripts"),
        "state": str(state),
        "nginx": nginx,
    }
    return Tools(state=state, places=places, versions=versions, missing=missing)


def pyspy(tools: Tools) -> str:
    """The path of py-spy, put into the venv when it is asked for first."""
    path = Path(tools.places["bin"]) / "py-spy"
    if not path.exists():
        command = [_uv(), "pip", "install", "--quiet", "--python", tools.python, PYSPY]
        if subprocess.run(command, check=False).returncode:
            raise ToolError(f"{PYSPY} could not be installed into {tools.places['venv']}")
    return str(path)
