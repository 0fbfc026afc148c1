"""The response to a Digest challenge (RFC 7616), for a user name and a password.

The client's nonce is always the same, so that servers with the same nonce get the same request.
"""

from __future__ import annotations

import hashlib
import re

from .response_reader import field_values

CLIENT_NONCE = "6f1c2a525f0e4d3b"
ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256"}
PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s,"]+))')


def response(user: str, password: str, method: str, target: str, head: bytes) -> str | None:
    """The value of ``Authorization`` for a challenge in ``head``; ``None`` if there is none that is
    supported.
    """
    for value in field_values(head, b"www-authenticate"):
        found = re.search(r"(?i)\bdigest\s+(.*)", value.decode("latin-1"))
        if found is None:
            continue
        told = {
            name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
            for name, quoted, plain in PARAMETER.findall(found[1])
        }
        algorithm = told.get("algorithm", "MD5").upper()
        if algorithm.removesuffix("-SESS") in ALGORITHMS and "nonce" in told:
            return _made(told, algorithm, user, password, method, target)
    return None


def _made(
    told: dict[str, str], algorithm: str, user: str, password: str, method: str, target: str
) -> str:
    def digest(*parts: str) -> str:
        made = hashlib.new(ALGORITHMS[algorithm.removesuffix("-SESS")], usedforsecurity=False)
        made.update(":".join(parts).encode())
        return made.hexdigest()

    nonce, realm = told["nonce"], told.get("realm", "")
    with_quality = "auth" in [each.strip() for each in told.get("qop", "").split(",")]
    secret = digest(user, realm, password)
    if algorithm.endswith("-SESS"):
        secret = digest(secret, nonce, CLIENT_NONCE)
    middle = ("00000001", CLIENT_NONCE, "auth") if with_quality else ()
    fields = {
        "username": user,
        "realm": realm,
        "nonce": nonce,
        "uri": target,
        "response": digest(secret, nonce, *middle, digest(method, target)),
    }
    if "opaque" in told:
        fields["opaque"] = told["opaque"]
    if with_quality or algorithm.endswith("-SESS"):
        fields["cnonce"] = CLIENT_NONCE
    quoted = [f'{name}="{_escaped(value)}"' for name, value in fields.items()]
    if "algorithm" in told:
        quoted.append(f"algorithm={told['algorithm']}")
    if with_quality:
        quoted += ["qop=auth", "nc=00000001"]
    return "Digest " + ", ".join(quoted)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
