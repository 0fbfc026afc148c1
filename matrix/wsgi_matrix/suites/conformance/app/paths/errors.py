"""``/errors``: writes text of several Unicode planes to ``wsgi.errors``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .response_helpers import json_response

LINE = "rules: \u00e9 \u20ac \U0001f600\n"


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Write the text, and report an exception as JSON."""
    raised = ""
    try:
        environ["wsgi.errors"].write(LINE)
        environ["wsgi.errors"].writelines([LINE, LINE])
        environ["wsgi.errors"].flush()
    except Exception as problem:
        raised = type(problem).__name__
    return json_response(start_response, {"raised": raised})
