"""``onegate.config``: every option from every source, and which source wins."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from onegate.config.arguments import parse, settings_of
from onegate.config.dump import to_toml
from onegate.config.option import Option
from onegate.config.settings import OPTIONS, Settings
from onegate.config.sources import Loaded, combine
from onegate.config.types import Choice, Flag, Integer, Mode, Pairs, Seconds, Size, Strings, UrlPath
from onegate.settings_error import SettingsError

ROOT = Path(__file__).resolve().parents[3]
# Text for a flag, text for a variable, TOML, value: of each kind something that is no default.
SAMPLES: dict[type, tuple[str, str, str, object]] = {
    Integer: ("7", "7", "7", 7),
    Seconds: ("2.5", "2.5", "2.5", 2.5),
    Size: ("3k", "3k", '"3k"', 3072),
    Mode: ("027", "027", '"027"', 0o27),
    Choice: ("debug", "debug", '"debug"', "debug"),
    Strings: ("a", "a 'b c'", '["a", "b c"]', ("a", "b c")),
    Pairs: ("A=1", "A=1 B=2", '{ A = "1", B = "2" }', (("A", "1"), ("B", "2"))),
    UrlPath: ("/x", "/x", '"/x"', "/x"),
}


def load(arguments: list[str], environ: dict[str, str]) -> Loaded:
    return combine(settings_of(parse(arguments)), environ)


def sample(option: Option) -> tuple[str, str, str, object]:
    return SAMPLES.get(type(option.kind), ("x", "x", '"x"', "x"))


def value_of(option: Option, arguments: list[str], environ: dict[str, str]) -> tuple[Any, str]:
    if option.name == "keyfile":
        arguments = [*arguments, "--certfile", "c"]
    loaded = load(arguments, environ)
    return getattr(loaded.settings, option.name), loaded.origins[option.name]


ALL = pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
IN_FILE = pytest.mark.parametrize(
    "option",
    [option for option in OPTIONS.values() if option.in_file],
    ids=lambda option: option.name,
)


def test_nothing_given() -> None:
    loaded = load([], {})
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}


@ALL
def test_on_the_command_line(option: Option, tmp_path: Path) -> None:
    text, _, _, value = sample(option)
    if option.name == "config":
        file = tmp_path / "x.toml"
        file.write_text("")
        text = value = str(file)
    if option.positional:
        assert value_of(option, [text], {}) == (value, "command line")
    elif isinstance(option.kind, Flag):
        flag = option.flags[-1]
        assert value_of(option, [flag], {}) == (True, "command line")
        assert value_of(option, [f"--no-{flag[2:]}"], {option.variable: "1"})[0] is False
    else:
        for flag in option.flags:
            expected = (value[0],) if isinstance(value, tuple) else value
            assert value_of(option, [flag, text], {}) == (expected, "command line")


@ALL
def test_in_the_environment(option: Option, tmp_path: Path) -> None:
    _, text, _, value = sample(option)
    if option.name == "config":
        file = tmp_path / "x.toml"
        file.write_text("")
        text = value = str(file)
    elif isinstance(option.kind, Flag):
        text, value = "yes", True
    assert value_of(option, [], {option.variable: text}) == (value, option.variable)
    assert value_of(option, [], {option.variable: ""}) == (option.default, "default")


@IN_FILE
def test_in_a_file(option: Option, tmp_path: Path) -> None:
    _, _, toml, value = sample(option)
    if isinstance(option.kind, Flag):
        toml, value = "true", True
    file = tmp_path / "onegate.toml"
    file.write_text(f"{option.name} = {toml}\n")
    assert value_of(option, ["--config", str(file)], {}) == (value, str(file))
    assert value_of(option, [], {"ONEGATE_CONFIG": str(file)}) == (value, str(file))


@IN_FILE
def test_a_wrong_type_in_a_file_is_named(option: Option, tmp_path: Path) -> None:
    file = tmp_path / "onegate.toml"
    file.write_text(f"{option.name} = 1979-05-27\n")
    with pytest.raises(SettingsError) as caught:
        load(["-c", str(file)], {})
    for part in (str(file), option.name, option.kind.expects):
        assert part in str(caught.value)


def test_the_order_of_sources(tmp_path: Path) -> None:
    file = tmp_path / "onegate.toml"
    file.write_text("workers = 3\n")
    arguments: list[str] = []
    environ: dict[str, str] = {}

    def now() -> tuple[int, str]:
        loaded = load(arguments, environ)
        return loaded.settings.workers, loaded.origins["workers"]

    assert now() == (1, "default")
    environ["WEB_CONCURRENCY"] = "2"
    assert now() == (2, "WEB_CONCURRENCY")
    arguments += ["--config", str(file)]
    assert now() == (3, str(file))
    environ["ONEGATE_WORKERS"] = "4"
    assert now() == (4, "ONEGATE_WORKERS")
    arguments += ["--workers", "5"]
    assert now() == (5, "command line")


def test_a_repeated_option_is_not_mixed_from_two_sources() -> None:
    environ = {"ONEGATE_BIND": "a:1 a:2", "PORT": "9"}
    assert load([], environ).settings.bind == ("a:1", "a:2")
    assert load(["-b", "b:1", "--bind", "b:2"], environ).settings.bind == ("b:1", "b:2")


def test_port() -> None:
    loaded = load([], {"PORT": "5000"})
    assert (loaded.settings.bind, loaded.origins["bind"]) == (("0.0.0.0:5000",), "PORT")
    assert load([], {"PORT": "", "WEB_CONCURRENCY": ""}).settings == Settings()


@pytest.mark.parametrize("variable", ["PORT", "WEB_CONCURRENCY", "ONEGATE_WORKERS"])
def test_a_wrong_variable_is_named(variable: str) -> None:
    with pytest.raises(
        SettingsError, match=rf"^{variable}: invalid value 'many', expected an integer"
    ):
        load([], {variable: "many"})


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(SettingsError, match="ONEGATE_WORKRES; did you mean ONEGATE_WORKERS"):
        load([], {"ONEGATE_WORKRES": "2"})


@pytest.mark.parametrize("name", ["ONEGATE", "ONEGATE_WEB", "ONEGATE_SERVICE", "ONEGATE_2_PORT"])
def test_what_kubernetes_sets_for_a_service_is_passed_over(name: str) -> None:
    environ = {
        f"{name}_SERVICE_HOST": "fd00::1",
        f"{name}_SERVICE_PORT": "80",
        f"{name}_SERVICE_PORT_HTTP_ALT": "8080",
        f"{name}_PORT": "tcp://10.0.0.1:80",
        f"{name}_PORT_80_TCP": "tcp://10.0.0.1:80",
        f"{name}_PORT_80_TCP_PROTO": "tcp",
        f"{name}_PORT_80_TCP_PORT": "80",
        f"{name}_PORT_80_TCP_ADDR": "10.0.0.1",
        f"{name}_PORT_53_UDP": "udp://10.0.0.1:53",
    }
    assert load([], environ).settings == Settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ONEGATE_PORT", "8000"),
        ("ONEGATE_WEB_PORT", "8000"),
        ("ONEGATE_SERVICE_PORT", "http"),
        ("ONEGATE_PORT_80", "tcp://10.0.0.1:80"),
        ("ONEGATE_WEB_PORT_80_TCP_NAME", "x"),
        ("ONEGATE_SERVICE", "x"),
        ("ONEGATE_WORKERS_SERVICE", "2"),
    ],
)
def test_what_looks_like_it_is_a_mistake_still(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"unknown environment variable {variable}"):
        load([], {variable: value})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workres = 1", "unknown setting 'workres'; did you mean workers"),
        ("keep-alive = 1", "unknown setting 'keep-alive'; did you mean keepalive"),
        ("preload_app = true", "the equivalent of gunicorn's preload_app is preload"),
        ("accesslog = '-'", "the equivalent of gunicorn's accesslog is access_logfile"),
        ("zzz = 1", "unknown setting 'zzz'$"),
        ("config = 'x'", "config cannot be set in a file; use --config or ONEGATE_CONFIG"),
        ("[server]\nworkers = 1", "unknown setting 'server'"),
        ("workers =\nthreads = 1", "invalid TOML: .*line 1"),
        ("workers = 1\nworkers = 2", "invalid TOML: "),
        ("a = '\xff", "invalid TOML: "),
    ],
)
def test_a_wrong_file(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "onegate.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=message) as caught:
        load(["--config", str(file)], {})
    assert str(file) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--config .*gone.toml: No such file"):
        load(["--config", str(tmp_path / "gone.toml")], {})


def test_pyproject(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[project]\nname = 'x'\n[tool.onegate]\nworkers = 3\n")
    assert load(["-c", str(file)], {}).settings.workers == 3
    file.write_text("workers = 3\n[tool]\n")
    with pytest.raises(SettingsError, match=r"no \[tool.onegate\] table"):
        load(["-c", str(file)], {})
    file.write_text("[tool]\nonegate = 3\n")
    with pytest.raises(SettingsError, match="not a table"):
        load(["-c", str(file)], {})


def test_a_named_access_logfile_asks_for_lines() -> None:
    loaded = load(["--access-logfile", "x"], {})
    assert loaded.settings.access_log == "combined"
    assert loaded.origins["access_log"] == "because access_logfile is set"
    assert load(["--access-logfile", "x", "--access-log", "off"], {}).settings.access_log == "off"


# ── what is shown ────────────────────────────────────────────────────────────────────────────────


@IN_FILE
def test_what_is_shown_is_read_again(option: Option, tmp_path: Path) -> None:
    _, text, _, _ = sample(option)
    first = load(
        ["m:a", "--certfile", "c"],
        {option.variable: "1" if isinstance(option.kind, Flag) else text},
    )
    file = tmp_path / "shown.toml"
    file.write_text(to_toml(first))
    assert load(["-c", str(file)], {}).settings.__dict__ | {"config": ""} == first.settings.__dict__


def test_each_value_is_shown_with_where_it_came_from(tmp_path: Path) -> None:
    file = tmp_path / "a\nb.toml"
    file.write_text("threads = 2\n")
    text = to_toml(load(["m:a", "-c", str(file)], {"ONEGATE_ENV": "A=1", "WEB_CONCURRENCY": "4"}))
    for line in (
        'app = "m:a"  # command line',
        'env = { "A" = "1" }  # ONEGATE_ENV',
        "workers = 4  # WEB_CONCURRENCY",
        "timeout = 30  # default",
        "# umask is not set  # default",
        f"threads = 2  # {tmp_path}/a?b.toml",
    ):
        assert line in text.splitlines()
    assert len(tomllib.loads(text)) + text.count(" is not set ") + text.count("# config") == len(
        OPTIONS
    )


# ── what is documented ───────────────────────────────────────────────────────────────────────────


@ALL
def test_every_option_says_why(option: Option) -> None:
    assert option.help
    assert option.why


def test_no_two_options_share_a_flag() -> None:
    flags = [flag for option in OPTIONS.values() for flag in option.flags]
    assert len(flags) == len(set(flags))


def test_every_field_is_declared() -> None:
    assert set(OPTIONS) == set(Settings().__dict__)
