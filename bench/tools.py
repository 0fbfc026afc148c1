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
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import traffic
from bench.catalogue import APPS, LARGE
from bench.model import BASELINE, ONEGATE, PURE, WIRE
from bench.process import ROOT
from docs.generate.versions import onegate as onegate_version

REQUIREMENTS = ROOT / "bench/requirements.txt"
PYSPY = "py-spy==0.4.3"
HEADERS = {  # what is compiled against a library: a file that shows it, and Debian's packages
    "bjoern": ("/usr/include/ev.h", ("libev-dev",)),
    "mod-wsgi": ("/usr/bin/apxs", ("apache2-dev", "apache2-bin")),
}
MYPYC = "*__mypyc*.so"  # what modules compiled by mypyc share, beside their package
COMPANIONS = {"muructl": "muru"}  # one without which the other cannot be started
APART = ("bjoern-binary",)  # has the modules of another peer, so that it is installed beside all


class ToolError(Exception):
    """Something is missing without which nothing can be measured. The text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Where things are. ``missing``: for a product that cannot run here, the reason.

    ``requests`` are those of ``bench/traffic.py``.
    """

    state: Path
    places: dict[str, str]
    versions: dict[str, str]
    missing: dict[str, str] = field(default_factory=dict)
    requests: Sequence[traffic.Request] = ()

    @property
    def python(self) -> str:
        """The interpreter that has the peers and the frameworks."""
        return self.places["python"]


@dataclass(frozen=True, kw_only=True)
class Builds:
    """Where onegate comes from: the one that is measured, and another to compare with, if any."""

    onegate: Path = ROOT
    baseline: Path | None = None

    def places(self) -> dict[str, Path]:
        """The builds that are there, by the names of :class:`bench.model.Server`.

        Raises :class:`ToolError` if there is no onegate in one of them.
        """
        found = {ONEGATE: self.onegate}
        if is_compiled(self.onegate):
            found[PURE] = self.onegate
        if self.baseline is not None:
            is_compiled(self.baseline)  # told before the venv is made
            found[BASELINE] = self.baseline
        return found


def say(text: str) -> None:
    """Tell the user what is being done."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _apt_install(*packages: str) -> bool:
    """Install packages if this is Debian and we may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"installing {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
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
    locks = [ROOT / app.lock for app in APPS if app.lock]
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
    missing = {}
    for name, requirement in peers().items():
        target = ["--target", str(state / name)] if name in APART else []
        if requirement in _installed(venv, state / name if target else None):
            continue
        if needs := _needs(name):
            _apt_install(*needs)
        say(f"installing {requirement}")
        run = subprocess.run(
            [*install, *target, requirement], capture_output=True, text=True, check=False
        )
        if run.returncode:
            reason = f"cannot be installed here: {_reason(name, run.stderr)}"
            missing[COMPANIONS.get(name, name)] = reason
    return venv, missing


def _installed(venv: Path, target: Path | None) -> set[str]:
    """The distributions in a venv, or in a directory next to it, as requirements."""
    python, names = venv / "bin/python", list(peers())
    found = _versions(python, names, target) if target is None or target.exists() else {}
    return {f"{name}=={version}" for name, version in found.items()}


def _needs(name: str) -> tuple[str, ...]:
    """Debian's packages that a peer is compiled with, if they are not there."""
    file, packages = HEADERS.get(name, ("/", ()))
    return () if Path(file).exists() else packages


def _reason(name: str, said: str) -> str:
    """Why an installation failed, in one line."""
    if needs := _needs(name):
        return f"no {needs[0]}; on Debian and Ubuntu: apt-get install {' '.join(needs)}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "?")


def _versions(python: Path, names: list[str], path: Path | None = None) -> dict[str, str]:
    """The versions of distributions in the venv, or at ``path``, of those that are there."""
    script = (
        "import sys, json\nfrom importlib.metadata import version, PackageNotFoundError\nv = {}\n"
        "for n in sys.argv[1:]:\n try: v[n] = version(n)\n except PackageNotFoundError: pass\n"
        "print(json.dumps(v))"
    )
    command = [str(python), *(["-S"] if path else []), "-c", script, *names]
    environment = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(run.stdout)
    return found


def package_of(build: Path) -> Path:
    """The directory that holds the package ``onegate`` of a build.

    ``build`` is a working tree, a directory that it was installed into, or that directory's
    parent. Raises :class:`ToolError` if there is none in it.
    """
    for place in (build / "server", build):
        if (place / "onegate/__init__.py").is_file():
            return place
    raise ToolError(f"{build} holds no onegate: neither onegate/ nor server/onegate/ is there")


def copy_onegate(build: Path, target: Path, *, pure: bool = False) -> str:
    """Copy a build, so that an edit meanwhile is not measured; return its version.

    ``build`` is a directory that :func:`package_of` takes, or a wheel. With ``pure``, what was
    compiled is left out. Raises :class:`ToolError` if there is no onegate in it.
    """
    shutil.rmtree(target, ignore_errors=True)
    if build.suffix == ".whl":
        with zipfile.ZipFile(build) as wheel:
            wheel.extractall(target)
        source = package_of(target)
    else:
        source = package_of(build)
        shutil.copytree(
            source / "onegate", target / "onegate", ignore=shutil.ignore_patterns("*.pyc")
        )
        for helper in source.glob(MYPYC):
            shutil.copy2(helper, target)
    if pure:
        for file in (*target.glob(MYPYC), *(target / "onegate").rglob("*.so")):
            file.unlink()
    return onegate_version(source) + (", compiled" if is_compiled(target) else "")


def is_compiled(build: Path) -> bool:
    """Whether a build of onegate has compiled modules. Raises :class:`ToolError` as above."""
    if build.suffix == ".whl":
        with zipfile.ZipFile(build) as wheel:
            return any(name.endswith(".so") for name in wheel.namelist())
    return next((package_of(build) / "onegate").rglob("*.so"), None) is not None


def _compile(state: Path, venv: Path) -> None:
    """Compile what servers import, or the first one to do so would be seen with the work.

    Not the apps: a server writes no bytecode, so that each compiles them for itself.
    """
    folders = [*(state / each for each in (ONEGATE, PURE, BASELINE)), venv / "lib"]
    folders += [state / each for each in APART]
    folders = [each for each in folders if each.is_dir()]
    subprocess.run(
        [venv / "bin/python", "-m", "compileall", "-q", "-j", "0", *folders],
        stdout=subprocess.DEVNULL,  # some packages carry files for other versions of Python
        stderr=subprocess.DEVNULL,
        check=False,
    )


def prepare(state: Path, builds: Builds) -> Tools:
    """Make or find everything. Raises :class:`ToolError` where that cannot be done."""
    state.mkdir(parents=True, exist_ok=True)
    versions = {"wrk": _wrk()}
    try:
        venv, missing = _venv(state)
    except subprocess.CalledProcessError as error:
        raise ToolError(f"the venv could not be made: {error}") from None
    (state / "large").write_bytes(b"x" * LARGE)
    requests = traffic.Traffic().requests()
    traffic.write(requests, state)
    python = venv / "bin/python"
    versions |= _versions(python, [*peers(), *(a.distribution for a in APPS if a.distribution)])
    for name in APART:
        versions |= _versions(python, [name], state / name) if (state / name).is_dir() else {}
    versions |= {
        name: copy_onegate(place, state / name, pure=name == PURE)
        for name, place in builds.places().items()
    }
    versions["python"] = sys.version.split()[0]
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
    return Tools(state=state, places=places, versions=versions, missing=missing, requests=requests)


def pyspy(tools: Tools) -> str:
    """The path of py-spy, put into the venv when it is asked for first."""
    path = Path(tools.places["bin"]) / "py-spy"
    if not path.exists():
        command = [_uv(), "pip", "install", "--quiet", "--python", tools.python, PYSPY]
        if subprocess.run(command, check=False).returncode:
            raise ToolError(f"{PYSPY} could not be installed into {tools.places['venv']}")
    return str(path)
