"""How an option is declared, and what follows from a declaration."""

from __future__ import annotations

from onegate._record import Record
from onegate.config.types import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


PREFIX = "ONEGATE_"


class Option(Record):
    """One option. Its flag, variable, key and row in docs/options.md follow from this."""

    name: str = ""
    """Of the attribute of :class:`onegate.config.Settings` and of the key in a file."""
    group: str = ""
    default: Any
    kind: Kind
    help: str
    why: str
    """Why the default is what it is."""
    short: str
    """A flag of one letter; empty: it has none."""
    flag: str
    """The long one, where it does not follow from the name."""
    positional: bool
    """Whether it stands on the command line without a flag."""
    gunicorn: str
    """gunicorn's setting and its default; "-" if it has none."""
    uwsgi: str
    waitress: str
    others: str
    in_file: bool
    """Whether it may be set in a configuration file."""

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()

    @property
    def flags(self) -> tuple[str, ...]:
        """How it is called on the command line."""
        if self.positional:
            return ()
        long = self.flag or "--" + self.name.replace("_", "-")
        return (self.short, long) if self.short else (long,)


def option(
    default: Any,
    kind: Kind,
    *,
    help: str,  # noqa: A002 - the usual name
    why: str,
    short: str = "",
    flag: str = "",
    positional: bool = False,
    gunicorn: str = "-",
    uwsgi: str = "-",
    waitress: str = "-",
    others: str = "",
    in_file: bool = True,
) -> Any:
    """Declare an option, as an attribute of a :class:`Group`; see :class:`Option`."""
    return Option(
        default=default,
        kind=kind,
        help=help,
        why=why,
        short=short,
        flag=flag,
        positional=positional,
        gunicorn=gunicorn,
        uwsgi=uwsgi,
        waitress=waitress,
        others=others,
        in_file=in_file,
    )


class Group(Record):
    """A record that declares each of its fields with :func:`option`."""

    options: ClassVar[dict[str, Option]] = {}
    """What the class declares itself, in its order. Its attributes are the defaults.

    ``title``: of the group, in help and documentation.
    """

    def __init_subclass__(cls, title: str = "") -> None:
        super().__init_subclass__()
        found = [(name, each) for name, each in vars(cls).items() if isinstance(each, Option)]
        for name, each in found:
            setattr(cls, name, each.default)
        cls.options = {name: each.replace(name=name, group=title) for name, each in found}
