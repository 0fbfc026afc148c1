"""The requirements of an app in any supported form, resolved and locked on this host.

    build/locks/requirements-<digest>.txt   what is installed, with hashes

So an app that requires `flask` is installed like one with locked requirements, and all cells have
the same files. A lock is valid until its inputs change or its file is removed. Requirements with
hashes are already locked, and are used unchanged.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import App, Python
from wsgi_matrix.packaging import interpreters, project_copy
from wsgi_matrix.packaging.uv import run
from wsgi_matrix.util.atomic_write import write_whole
from wsgi_matrix.util.file_lock import exclusive

DEADLINE = 300.0
"""Seconds to resolve requirements."""
REQUIREMENTS = "requirements.txt"
PYPROJECT = "pyproject.toml"
FORMS = (REQUIREMENTS, "pylock.toml", "uv.lock", "Pipfile.lock", PYPROJECT)
"""Files that are searched for in the app's directory by default; the first one found is used."""
NOT_READ = {
    "poetry.lock": "poetry export -f requirements.txt -o requirements.txt",
    "pdm.lock": "pdm export -o requirements.txt",
    "Pipfile": "pipenv requirements > requirements.txt",
    "requirements.in": "--requirements requirements.in",
    "environment.yml": "pip list --format=freeze > requirements.txt",
    "setup.py": "echo . > requirements.txt",
}
"""Unsupported forms of requirements, and what to do with each."""
INCLUDES = re.compile(
    r"^\s*(?:-r|--requirements?|-c|--constraints?)[\s=]*(\S.*?)\s*(?:\s#.*)?$", re.MULTILINE
)
HASHED = re.compile(r"--hash[\s=]")
LOCAL = re.compile(
    r"^(?P<flag>(?:-e|--editable|-f|--find-links)[\s=]+)?(?P<name>[\w.-]+(?:\[[^]]*\])?\s*@\s*)?"
    r"(?P<path>(?:file:)?[^\s;#\[]+)(?P<rest>.*)$"
)
"""A line that may contain a file or directory of this host."""
PROJECT = "# built here: "
"""Prefix of the line of a project in a lock."""
VCS = re.compile(r"^[^#;]*@\s*(?:git|hg|svn|bzr)\+\S+|^(?:-e\s+)?(?:git|hg|svn|bzr)\+\S+")
PROJECT_FILES = (PYPROJECT, "setup.py", "setup.cfg")
OPTIONS = ("--index-url", "--extra-index-url", "--find-links", "--no-index", "--trusted-host")
"""Lines of requirements with the sources of packages."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Distributions to install."""

    file: Path
    """In pip's format or a ``pylock.toml``, with a hash for everything."""
    folder: Path
    """The directory that paths in it are relative to."""
    inputs: tuple[Path, ...]
    """All files that determine what is installed."""
    written: tuple[Path, ...]
    """The user's files among these, or those they were made from; named in errors."""
    resolved: bool = False
    """Whether ``file`` was made here, by resolving versions."""
    projects: tuple[str, ...] = ()
    """Projects that are built here and installed in addition, without their dependencies, which
    are in ``file``: paths of directories (``.``, ``-e .``, ``./vendor/tea``), and
    ``NAME @ git+…``."""
    options: tuple[str, ...] = ()
    """Options with the sources of packages, for installing them."""


def chosen(folder: Path, named: str) -> tuple[Path | None, str]:
    """The file in ``folder`` with the requirements of an app, and a notice for the user.

    ``named``: the name in the app's table. The file is ``None`` if there is none; the notice is
    empty if the file was named or is a ``requirements.txt``. Raises :class:`SetupError` for a
    named file in an unsupported form.
    """
    file = folder / named
    if named != REQUIREMENTS:
        if advice := NOT_READ.get(file.name if file.name != "requirements.in" else ""):
            raise SetupError(f"{file} is not supported; convert it: {advice}")
        return (file if file.is_file() else None), ""
    there = [folder / name for name in FORMS if (folder / name).is_file()]
    there = [each for each in there if each.name != PYPROJECT or _is_project(each)]
    others = [name for name in NOT_READ if (folder / name).is_file()]
    if there and there[0].name == REQUIREMENTS:
        return there[0], ""
    if there:
        notice = f"requirements: {there[0]}"
        if there[0].name == PYPROJECT and others:
            notice += f" ({others[0]} is not supported; to use it: {NOT_READ[others[0]]})"
        return there[0], notice
    if others:
        return None, f"no requirements: {others[0]} is not supported; {NOT_READ[others[0]]}"
    return None, (
        f"no requirements: {folder} has none of {', '.join(FORMS)}, so the app only has the "
        "standard library; use --requirements FILE for another file"
    )


def _is_project(file: Path) -> bool:
    """Whether a ``pyproject.toml`` has more than the configuration of tools."""
    table = _toml(file)
    return bool(table.keys() & {"project", "build-system"} or "poetry" in table.get("tool", {}))


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SetupError(f"{file} cannot be read: {problem}") from None


def locked(app: App, file: Path, python: Python, platform: str | None, root: Path) -> Lock:
    """The lock of ``file``, the requirements of ``app``; made below ``root`` if necessary.

    Raises :class:`SetupError`.
    """
    whose = f"app {app.name}"

    def of_text(text: str, folder: Path) -> Lock:
        settled = _settled(text, [folder], ())
        if all(HASHED.search(each) for each in _packages(settled)):
            return _read(_written(settled, root), (file,))
        # A lock may lack hashes, of packages in a directory for example; they are added.
        pins = _written(text, root)
        made = ensure_lock(app, (pins,), folder, (), python, platform, root, (file,))
        return _read(made, (file,), resolved=True)

    if file.name.startswith("pylock.") and file.suffix == ".toml":
        return Lock(file=file, folder=file.parent, inputs=(file,), written=(file,))
    if file.name == "uv.lock":
        return of_text(_exported(whose, file), file.parent)
    if file.name == "Pipfile.lock":
        return of_text(_pipfile(whose, file), file.parent)
    inputs = tuple(_files(whose, file, set()))
    if file.name != PYPROJECT and any(HASHED.search(each.read_text("utf-8")) for each in inputs):
        if len(inputs) == 1:
            text = _settled(file.read_text(encoding="utf-8"), [_base(app.path, inputs)], ())
            return _read(_written(text, root), inputs)
        return Lock(file=file, folder=_base(app.path, inputs), inputs=inputs, written=inputs)
    base = _base(app.path, inputs)
    projects = (file.parent,) if file.name == PYPROJECT and _builds(file) else ()
    made = ensure_lock(app, inputs, base, projects, python, platform, root, inputs)
    return _read(made, inputs, resolved=True)


def ensure_lock(
    app: App,
    inputs: tuple[Path, ...],
    base: Path,
    projects: tuple[Path, ...],
    python: Python,
    platform: str | None,
    root: Path,
    written: tuple[Path, ...],
) -> Path:
    """The lock of ``inputs[0]`` for ``python``, made below ``root`` if it does not exist yet.

    ``inputs``: the file, in pip's format or a ``pyproject.toml``, and all that it includes;
    ``base``: the directory that paths in it are relative to; ``written``: the user's files, for
    errors. Raises :class:`SetupError`.
    """
    wanted = (python.version, platform or sys.platform, app.sdists, str(base), *map(str, projects))
    digest = hashlib.sha256(repr(wanted).encode())
    for file in inputs:
        digest.update(file.read_bytes() + b"\0")
    for path in dict.fromkeys(path for file in inputs for path in _local(file, base)):
        # Of a directory of wheels its files count; of a project, its requirements.
        names = PROJECT_FILES if path.is_dir() and _is_source(path) else sorted(_names(path))
        for each in (path / name for name in names):
            content = each.read_bytes() if each.name in PROJECT_FILES and each.is_file() else b""
            digest.update(os.fsencode(each) + b"\0" + content + b"\0")
    lock = root / "locks" / f"requirements-{digest.hexdigest()[:16]}.txt"
    with exclusive(lock.with_suffix(".lock")):
        if not lock.is_file():
            with tempfile.TemporaryDirectory(prefix="resolving-", dir=lock.parent) as scratch:
                source = _undisturbed(app, inputs, base, projects, Path(scratch))
                text = _resolved(app, source, base, python, platform, written)
            write_whole(lock, _settled(text, [base, *(each.parent for each in inputs)], projects))
    return lock


def _written(text: str, root: Path) -> Path:
    """A file below ``root`` with ``text``, named by its digest."""
    file = root / "locks" / f"requirements-{hashlib.sha256(text.encode()).hexdigest()[:16]}.txt"
    with exclusive(file.with_suffix(".lock")):
        if not file.is_file():
            write_whole(file, text)
    return file


def _packages(text: str) -> list[str]:
    """Each requirement in ``text``, with its continuation lines."""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]


def _read(lock: Path, written: tuple[Path, ...], *, resolved: bool = False) -> Lock:
    """A lock written by this module."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return Lock(
        file=lock,
        folder=lock.parent,
        inputs=(lock,),
        written=written,
        resolved=resolved,
        projects=tuple(x.removeprefix(PROJECT) for x in lines if x.startswith(PROJECT)),
        options=tuple(word for x in lines if x.startswith(OPTIONS) for word in shlex.split(x)),
    )


def _files(whose: str, file: Path, seen: set[Path]) -> list[Path]:
    """``file`` and all files that it includes, once each."""
    if file in seen:
        return []
    seen.add(file)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise SetupError(f"{whose}: {file} cannot be read: {problem}") from None
    found = [file]
    for name in INCLUDES.findall(text) if file.suffix != ".toml" else ():
        if "://" not in name:
            found += _files(whose, (file.parent / name).absolute(), seen)
    return found


def _lines(text: str) -> Iterator[str]:
    """Lines of requirements without comments; continued lines are not joined."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _path(text: str) -> str:
    """The path in a requirement, if it is one on this host; else empty."""
    if text.startswith("file:"):
        return unquote(urlsplit(text).path or text.removeprefix("file:"))
    if "://" in text or text.startswith("-"):
        return ""
    return text


def _is_path(found: re.Match[str]) -> bool:
    """Whether a line has a path: after a flag or ``@``, or where no package name is possible."""
    path = found["path"]
    return bool(_path(path)) and bool(
        found["flag"] or (found["name"] and path.startswith((".", "/", "file:")))
        or path.startswith((".", "/", "file:")) or path.endswith((".whl", ".tar.gz", ".zip"))
    )  # fmt: skip


def _local(file: Path, base: Path) -> Iterator[Path]:
    """Existing files and directories in the requirements of ``file``."""
    if file.suffix == ".toml":
        yield file.parent
        return
    for line in _lines(file.read_text(encoding="utf-8")):
        found = LOCAL.match(line)
        if found and _is_path(found):
            for folder in (base, file.parent):
                path = Path(folder, _path(found["path"]))
                if path.exists():
                    yield path
                    break


def _names(path: Path) -> list[str]:
    return [each.name for each in path.iterdir()] if path.is_dir() else [""]


def _is_source(path: Path) -> bool:
    return any((path / name).is_file() for name in PROJECT_FILES)


def _builds(file: Path) -> bool:
    """Whether the directory of a ``pyproject.toml`` is itself a package (PEP 518)."""
    return "build-system" in _toml(file)


def _base(source: Path, inputs: tuple[Path, ...]) -> Path:
    """The directory that paths are relative to: the app's, as if pip ran there, or that of the
    requirements, if the paths exist there."""
    for line in _lines(inputs[0].read_text(encoding="utf-8")):
        found = LOCAL.match(line)
        if found and _is_path(found) and not (found["flag"] or "").startswith(("-f", "--find")):
            path = _path(found["path"])
            if not (source / path).exists() and (inputs[0].parent / path).exists():
                return inputs[0].parent
    return source


@dataclass(frozen=True)
class _Source:
    """The input of uv, and the user's names of files in it."""

    requirements: Path
    known_as: Mapping[str, str]


def _undisturbed(
    app: App, inputs: tuple[Path, ...], base: Path, projects: tuple[Path, ...], scratch: Path
) -> _Source:
    """``inputs``, with copies below ``scratch`` instead of projects that uv would build.

    uv builds a project whose metadata does not include its requirements, if that is allowed. All
    included files are copied too, and paths are made absolute.
    """
    named = [path for file in inputs for path in _local(file, base) if _is_source(path)]
    wanted = [each.resolve() for each in (*projects, *named) if _is_dynamic(each)]
    if not app.sdists or not wanted:
        return _Source(inputs[0], {})
    copies: dict[Path, Path] = {}
    known_as: dict[str, str] = {}
    for number, project in enumerate(dict.fromkeys(wanted)):
        (folder := scratch / str(number)).mkdir()
        copies[project] = project_copy.copy(project, folder)
        known_as |= project_copy.names(project, copies[project])
    if inputs[0].name == PYPROJECT:
        return _Source(copies[inputs[0].parent.resolve()] / PYPROJECT, known_as)
    places = {file: scratch / f"resolving-{n}.txt" for n, file in enumerate(inputs)}
    for file, place in places.items():
        lines = file.read_text(encoding="utf-8").splitlines()
        place.write_text("\n".join(_moved(x, file, base, copies, places) for x in lines) + "\n")
        known_as |= {str(place): str(file), place.name: file.name}
    return _Source(places[inputs[0]], known_as)


def _moved(
    line: str, file: Path, base: Path, copies: Mapping[Path, Path], places: Mapping[Path, Path]
) -> str:
    """A line of ``file``, rewritten for another directory."""
    if included := INCLUDES.match(line):
        place = places.get((file.parent / included[1]).absolute())
        start, end = included.span(1)
        return line[:start] + place.name + line[end:] if place else line
    found = LOCAL.match(line.strip())
    if line.lstrip().startswith("#") or not found or not _is_path(found):
        return line
    paths = (Path(folder, _path(found["path"])) for folder in (base, file.parent))
    path = next((each.resolve() for each in paths if each.exists()), None)
    if path is None:
        return line
    moved = copies.get(path, path).as_uri()
    return f"{found['flag'] or ''}{found['name'] or ''}{moved}{found['rest']}"


def _is_dynamic(project: Path) -> bool:
    """Whether uv must build a project to determine its requirements (PEP 621)."""
    if not project.is_dir():
        return False
    table = _toml(project / PYPROJECT) if (project / PYPROJECT).is_file() else {}
    return "project" not in table or bool(table["project"].get("dynamic"))


def _resolved(
    app: App,
    source: _Source,
    base: Path,
    python: Python,
    platform: str | None,
    written: tuple[Path, ...],
) -> str:
    command = ["pip", "compile", "--quiet", "--no-header", "--no-annotate", "--generate-hashes"]
    command += [*wheels(app, python, platform)]
    # The sources of packages are part of the lock, since they are installed from there.
    command += ["--emit-index-url", "--emit-find-links"]
    # As a path, so that a name that begins with a hyphen is not taken for an option.
    command += ["--", str(source.requirements.absolute())]
    return run(
        command,
        f"app {app.name}: {written[0]} cannot be resolved for Python {python.version}",
        deadline=DEADLINE,
        folder=base,
        advice="correct it, or choose another Python with --python",
        files=written,
        known_as={
            **source.known_as,
            str(source.requirements): str(written[0]),
            source.requirements.name: written[0].name,
        },
    )


def wheels(app: App, python: Python, platform: str | None) -> tuple[str, ...]:
    """Options for uv: the Python, and whether packages without a wheel may be built.

    Only wheels are used by default, because building runs the package's code on this host. Raises
    :class:`SetupError` if building is requested but impossible.
    """
    words = ["--python-version", python.version]
    words += ["--python-platform", platform] if platform else []
    if not app.sdists:
        return (*words, "--only-binary", ":all:", "--python", sys.executable)
    found = interpreters.find(python.version)
    if found is None:
        raise SetupError(
            f"app {app.name}: --sdists needs python{python.version}, which was not found on this "
            "host"
        )
    return (*words, "--python", str(found[0]))


def _settled(text: str, folders: list[Path], projects: tuple[Path, ...]) -> str:
    """``text`` of a lock with absolute paths, since it is in another directory than its inputs.

    Projects in directories have no hash; they are listed in comments, and installed separately.
    """
    lines: list[str] = []
    built = [str(path) for path in projects]
    for line in text.splitlines():
        found = LOCAL.match(line)
        if vcs := VCS.match(line):
            built.append(vcs[0].removeprefix("-e").strip())
        elif line.startswith((" ", "#")) or not found or not _is_path(found):
            lines.append(line)
        else:
            named = _path(found["path"])
            path = next((x / named for x in folders if (x / named).exists()), folders[0] / named)
            path = path.resolve()
            if (found["flag"] or "").startswith(("-f", "--find-links")):
                lines.append(f"--find-links {path.as_uri()}")
            elif path.is_dir():
                built.append(str(path))
            else:
                lines.append(f"{found['name'] or ''}{path.as_uri()}{found['rest']}")
    return "\n".join([*(PROJECT + each for each in dict.fromkeys(built)), *lines]) + "\n"


def _exported(whose: str, file: Path) -> str:
    """The contents of a ``uv.lock`` as requirements with hashes; it is not updated."""
    command = ["export", "--quiet", "--frozen", "--no-dev", "--no-header", "--no-annotate"]
    command += ["--format", "requirements.txt", "--emit-index-url", "--emit-find-links"]
    command += ["--project", str(file.parent)]
    return run(command, f"{whose}: {file} cannot be read", deadline=DEADLINE, folder=file.parent)


def _pipfile(whose: str, file: Path) -> str:
    """The contents of a ``Pipfile.lock`` as requirements with hashes."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        lines = [f"--index-url {value['_meta']['sources'][0]['url']}"]
        for name, each in value["default"].items():
            if "path" in each:
                lines.append(("-e " if each.get("editable") else "") + each["path"])
                continue
            extras = f"[{','.join(each['extras'])}]" if each.get("extras") else ""
            marker = f" ; {each['markers']}" if each.get("markers") else ""
            hashes = "".join(f" --hash={x}" for x in each["hashes"])
            lines.append(f"{name}{extras}{each['version']}{marker}{hashes}")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as problem:
        raise SetupError(
            f"{whose}: {file} cannot be read ({type(problem).__name__}: {problem}); make "
            f"requirements from it: {NOT_READ['Pipfile']}"
        ) from None
    return "\n".join(lines) + "\n"
