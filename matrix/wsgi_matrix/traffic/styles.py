"""Serialisation of parameters: OpenAPI 3.1 section 4.8.12, and the formats of Swagger 2.

=============== ================ ============================== =====================
style           empty, "a"       [1, 2]                         {"x": 1, "y": 2}
=============== ================ ============================== =====================
matrix          ;n, ;n=a         ;n=1,2     *explode* ;n=1;n=2  ;n=x,1,y,2  ;x=1;y=2
label           ., .a            .1,2       *explode* .1.2      .x,1,y,2    .x=1.y=2
simple          , a              1,2                            x,1,y,2     x=1,y=2
form            n=, n=a          n=1,2      *explode* n=1&n=2   n=x,1,y,2   x=1&y=2
spaceDelimited                   n=1%202                        n=x%201%20y%202
pipeDelimited                    n=1%7C2                        n=x%7C1%7Cy%7C2
deepObject                                                      n[x]=1&n[y]=2
=============== ================ ============================== =====================
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from wsgi_matrix.traffic.json_references import Node

DEFAULTS = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
RESERVED = ":/?#[]@!$&'()*+,;="
"""RFC 3986 section 2.2."""
FORMATS = {
    "csv": ("form", ",", False),
    "ssv": ("form", " ", False),
    "tsv": ("form", "\t", False),
    "pipes": ("form", "|", False),
    "multi": ("form", ",", True),
}
"""Swagger 2: style, separator, and whether each value has the name."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """The serialisation of one parameter."""

    place: str
    style: str
    explode: bool
    between: str = ","
    reserved: bool = False
    """Whether reserved characters are not escaped in a query."""

    @classmethod
    def of(cls, parameter: Node, *, swagger: bool = False) -> Style:
        """The style of a parameter; ``swagger``: by Swagger 2.

        Raises ``ValueError`` for an unknown style.
        """
        told = parameter.value
        place = str(told.get("in"))
        if swagger:
            name = str(told.get("collectionFormat", "csv"))
            if name not in FORMATS:
                raise ValueError(f'unknown collectionFormat "{name}"')
            style, between, explode = FORMATS[name]
            style = style if place in ("query", "cookie") else "simple"
            return cls(place=place, style=style, explode=explode, between=between)
        style = str(told.get("style", DEFAULTS.get(place, "form")))
        between = {"spaceDelimited": " ", "pipeDelimited": "|"}.get(style, ",")
        if style not in ("matrix", "label", "simple", "form", "deepObject") and between == ",":
            raise ValueError(f'unknown style "{style}"')
        explode = told.get("explode", style == "form")
        return cls(
            place=place,
            style=style,
            explode=bool(explode),
            between=between,
            reserved=bool(told.get("allowReserved")),
        )

    def text(self, name: str, value: Any) -> str:
        """The serialised parameter; in a query or a cookie, with the name."""
        pairs = self._pairs(name, value)
        if self.place == "header":
            return self.between.join(f"{k}={v}" if k else v for k, v in pairs)
        if self.style in ("simple", "label"):
            mark = "." if self.style == "label" else ""
            between = self.between if self.style == "simple" or not self.explode else "."
            return mark + between.join(f"{k}={v}" if k else v for k, v in pairs)
        if self.style == "matrix":
            return "".join(f";{k}={v}" if v else f";{k}" for k, v in pairs)
        return ("; " if self.place == "cookie" else "&").join(f"{k}={v}" for k, v in pairs)

    def _pairs(self, name: str, value: Any) -> list[tuple[str, str]]:
        """Escaped names and values; without a name if the style has none."""
        named = "" if self.style in ("simple", "label") else self._escaped(name)
        if isinstance(value, dict):
            if self.style == "deepObject":
                return [
                    (f"{named}{self._escaped(f'[{k}]')}", self._word(v)) for k, v in value.items()
                ]
            if self.explode:
                return [(self._escaped(str(k)), self._word(v)) for k, v in value.items()]
            value = [each for pair in value.items() for each in pair]
        if not isinstance(value, list):
            return [(named, self._word(value))]
        if self.explode:
            return [(named, self._word(each)) for each in value]
        between = self.between
        if self.place in ("query", "path") and between != ",":
            between = quote(between, safe="")
        return [(named, between.join(self._word(each) for each in value))]

    def _word(self, value: Any) -> str:
        return self._escaped(value if isinstance(value, str) else json.dumps(value))

    def _escaped(self, text: str) -> str:
        if self.place == "header":
            return text  # cookies have no escapes
        return quote(text, safe=RESERVED.replace("&", "").replace("#", "") if self.reserved else "")
