"""What an app requires, whoever wrote it down and however: resolved and locked on this machine.

    build/locks/requirements-<digest>.txt   what is installed, with hashes

So an app that says `flask` is installed as one that is locked, and all cells have the same files.
A lock stays until what it was made from changes, or its file is removed. Requirements with hashes
are a lock already, and are taken as they are: somebody meant those files and no others.
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
"""Seconds for resolving."""
REQUIREMENTS = "requirements.txt"
PYPROJECT = "pyproject.toml"
FORMS = (REQUIREMENTS, "pylock.toml", "uv.lock", "Pipfile.lock", PYPROJECT)
"""What is looked for in the app's folder when nobody names a file; the first that is there."""
NOT_READ = {
    "poetry.lock": "poetry export -f requirements.txt -o requirements.txt",
    "pdm.lock": "pdm export -o requirements.txt",
    "Pipfile": "pipenv requirements > requirements.txt",
    "requirements.in": "--requirements requirements.in",
    "environment.yml": "pip list --format=freeze > requirements.txt",
    "setup.py": "echo . > requirements.txt",
}
"""What says what an app requires in a form that is not read: what to do with each."""
INCLUDES = re.compile(
    r"^\s*(?:-r|--requirements?|-c|--constraints?)[\s=]*(\S.*?)\s*(?:\s#.*)?$", re.MULTILINE
)
HASHED = re.compile(r"--hash[\s=]")
LOCAL = re.compile(
    r"^(?P<flag>(?:-e|--editable|-f|--find-links)[\s=]+)?(?P<name>[\w.-]+(?:\[[^]]*\])?\s*@\s*)?"
    r"(?P<path>(?:file:)?[^\s;#\[]+)(?P<rest>.*)$"
)
"""A line that may name a file or folder of this machine."""
PROJECT = "# built here: "
"""Begins a line of a lock that names a project."""
VCS = re.compile(r"^[^#;]*@\s*(?:git|hg|svn|bzr)\+\S+|^(?:-e\s+)?(?:git|hg|svn|bzr)\+\S+")
PROJECT_FILES = (PYPROJECT, "setup.py", "setup.cfg")
OPTIONS = ("--index-url", "--extra-index-url", "--find-links", "--no-index", "--trusted-host")
"""Lines of requirements that say where packages come from."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What is to be installed."""

    file: Path
    """In pip's format or a ``pylock.toml``, everything with its hash."""
    folder: Path
    """What relative paths in it are relative to."""
    inputs: tuple[Path, ...]
    """All files that say what is installed."""
    written: tuple[Path, ...]
    """Of these, or in their place, what people wrote: files for errors to name."""
    resolved: bool = False
    """``file`` was made here, of versions that were found."""
    projects: tuple[str, ...] = ()
    """What is built here and installed besides, without its dependencies, which are in ``file``:
    paths of folders (``.``, ``-e .``, ``./vendor/tea``), and ``NAME @ git+…``."""
    options: tuple[str, ...] = ()
    """For whoever installs them: where packages come from."""


def chosen(folder: Path, named: str) -> tuple[Path | None, str]:
    """The file in ``folder`` that says what an app requires, and a notice for people.

    ``named``: what the app's table calls it. The file is ``None`` where there is none; the notice
    is empty where the file was named or is a ``requirements.txt``. Raises :class:`SetupError` for
    a named one in a form that is not read.
    """
    file = folder / named
    if named != REQUIREMENTS:
        if advice := NOT_READ.get(file.name if file.name != "requirements.in" else ""):
            raise SetupError(f"{file} is not read; make requirements of it: {advice}")
        return (file if file.is_file() else None), ""
    there = [folder / name for name in FORMS if (folder / name).is_file()]
    there = [each for each in there if each.name != PYPROJECT or _is_project(each)]
    others = [name for name in NOT_READ if (folder / name).is_file()]
    if there and there[0].name == REQUIREMENTS:
        return there[0], ""
    if there:
        notice = f"requirements: {there[0]}"
        if there[0].name == PYPROJECT and others:
            notice += f" ({others[0]} is not read; to have what it locks: {NOT_READ[others[0]]})"
        return there[0], notice
    if others:
        return None, f"no requirements: {others[0]} is not read; {NOT_READ[others[0]]}"
    return None, (
        f"no requirements: {folder} has none of {', '.join(FORMS)}, so the app has the standard "
        "library alone; --requirements names another file"
    )


def _is_project(file: Path) -> bool:
    """Whether a ``pyproject.toml`` says more than how tools are set up."""
    table = _toml(file)
    return bool(table.keys() & {"project", "build-system"} or "poetry" in table.get("tool", {}))


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SetupError(f"{file} cannot be read: {problem}") from None


def locked(app: App, file: Path, python: Python, platform: str | None, root: Path) -> Lock:
    """The lock of ``file``, which says what ``app`` requires; made below ``root`` if it has to be.

    Raises :class:`SetupError`.
    """
    whose = f"app {app.name}"

    def of_text(text: str, folder: Path) -> Lock:
        settled = _settled(text, [folder], ())
        if all(HASHED.search(each) for each in _packages(settled)):
            return _read(_written(settled, root), (file,))
        # A lock has no hashes of what lies in a folder, say: the versions that it names get them.
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
    """The lock of ``inputs[0]`` for ``python``, made below ``root`` if it is not there yet.

    ``inputs``: it, in pip's format or a ``pyproject.toml``, and all that it includes; ``base``:
    the folder that paths in it are relative to; ``written``: by people, for errors to name. Raises
    :class:`SetupError`.
    """
    wanted = (python.version, platform or sys.platform, app.sdists, str(base), *map(str, projects))
    digest = hashlib.sha256(repr(wanted).encode())
    for file in inputs:
        digest.update(file.read_bytes() + b"\0")
    for path in dict.fromkeys(path for file in inputs for path in _local(file, base)):
        # A folder of wheels is what is in it; a project, what it says that it requires.
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
    """A file below ``root`` with ``text``, named by it."""
    file = root / "locks" / f"requirements-{hashlib.sha256(text.encode()).hexdigest()[:16]}.txt"
    with exclusive(file.with_suffix(".lock")):
        if not file.is_file():
            write_whole(file, text)
    return file


def _packages(text: str) -> list[str]:
    """Each requirement in ``text``, with the lines that go on with it."""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]


def _read(lock: Path, written: tuple[Path, ...], *, resolved: bool = False) -> Lock:
    """A lock that we wrote."""
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
    """``file`` and all that it includes, once each."""
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
    """Lines that may name something, without comments; continued ones as they are."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _path(text: str) -> str:
    """What a requirement names if that is a place of this machine; else empty."""
    if text.startswith("file:"):
        return unquote(urlsplit(text).path or text.removeprefix("file:"))
    if "://" in text or text.startswith("-"):
        return ""
    return text


def _is_path(found: re.Match[str]) -> bool:
    """Whether a line names a path: after a flag or ``@``, or where no name of a package can be."""
    path = found["path"]
    return bool(_path(path)) and bool(
        found["flag"] or (found["name"] and path.startswith((".", "/", "file:")))
        or path.startswith((".", "/", "file:")) or path.endswith((".whl", ".tar.gz", ".zip"))
    )  # fmt: skip


def _local(file: Path, base: Path) -> Iterator[Path]:
    """Files and folders that the requirements in ``file`` name, where they are there."""
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
    """Whether the folder of a ``pyproject.toml`` is a package itself (PEP 518)."""
    return "build-system" in _toml(file)


def _base(source: Path, inputs: tuple[Path, ...]) -> Path:
    """The folder that paths are relative to: the app's, as where pip is called, or else the one
    of the requirements, if that is where what they name lies."""
    for line in _lines(inputs[0].read_text(encoding="utf-8")):
        found = LOCAL.match(line)
        if found and _is_path(found) and not (found["flag"] or "").startswith(("-f", "--find")):
            path = _path(found["path"])
            if not (source / path).exists() and (inputs[0].parent / path).exists():
                return inputs[0].parent
    return source


@dataclass(frozen=True)
class _Source:
    """What uv resolves, and what people know by its names."""

    requirements: Path
    known_as: Mapping[str, str]


def _undisturbed(
    app: App, inputs: tuple[Path, ...], base: Path, projects: tuple[Path, ...], scratch: Path
) -> _Source:
    """``inputs``, with copies below ``scratch`` in place of projects that uv would build.

    It does that where a project does not say by itself what it requires, and is allowed to. All
    that they include is copied too, and paths are made absolute.
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
    """A line of ``file`` for another folder."""
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
    """Whether uv has to build a project to know what it requires (PEP 621)."""
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
    # Where they say that packages come from belongs to the lock: it is installed from there.
    command += ["--emit-index-url", "--emit-find-links"]
    # As a path, whatever it is called: a name that begins with a hyphen is no option.
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
    """Words for uv: for which Python, and whether what has no wheel may be built.

    Only wheels are taken, because building runs the package's code on this machine, unless people
    ask for that. Raises :class:`SetupError` where that cannot be done.
    """
    words = ["--python-version", python.version]
    words += ["--python-platform", platform] if platform else []
    if not app.sdists:
        return (*words, "--only-binary", ":all:", "--python", sys.executable)
    found = interpreters.find(python.version)
    if found is None:
        raise SetupError(
            f"app {app.name}: --sdists builds with python{python.version}, and there is none on "
            "this machine"
        )
    return (*words, "--python", str(found[0]))


def _settled(text: str, folders: list[Path], projects: tuple[Path, ...]) -> str:
    """``text`` of a lock with absolute paths: it lies elsewhere than what it was made from.

    Folders with a project have no hash; they are named in comments, and installed by themselves.
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
    """What a ``uv.lock`` locks, as requirements with hashes; it is not made anew."""
    command = ["export", "--quiet", "--frozen", "--no-dev", "--no-header", "--no-annotate"]
    command += ["--format", "requirements.txt", "--emit-index-url", "--emit-find-links"]
    command += ["--project", str(file.parent)]
    return run(command, f"{whose}: {file} cannot be read", deadline=DEADLINE, folder=file.parent)


def _pipfile(whose: str, file: Path) -> str:
    """What a ``Pipfile.lock`` locks, as requirements with hashes."""
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
            f"requirements of it: {NOT_READ['Pipfile']}"
        ) from None
    return "\n".join(lines) + "\n"
