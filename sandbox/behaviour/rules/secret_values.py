"""Secrets in plain text: environment variables of containers and functions."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIALS?|API_?KEY|FERNET|(^|_)KEY$|(^|_)PWD$)")
_HARMLESS_NAME: Final = re.compile(
    r"(_ARN|_NAME|_ID|_PATH|_FILE|_URL|_CMD|_COMMAND|_TTL|_TIMEOUT|_SECONDS|_TIME|_LENGTH|_PREFIX|_BACKEND"
    r"|_BACKEND_KWARGS|_ENABLED|_HEADER|_ALGORITHM|_ISSUER|_AUDIENCE|_TYPE|_REGION|_VERSION|_CACHE|_KWARGS)$"
)
_VALUE: Final = (
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), "an AWS access key"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s:@]*:[^/\s@]+@"), "a URL with a password"),
)
_PATH: Final = re.compile(r"(/[A-Za-z0-9._-]+){2,}")
_PLAIN: Final = frozenset({"", "true", "false", "none", "0", "1"})


def secret_in(name: str, value: str) -> str | None:
    """Return why a variable looks like a secret in plain text, or None.

    Its value tells (AWS access keys, private keys, URLs with a password), or its name (`*_PASSWORD`,
    `*SECRET*`, `*TOKEN*`, `*_KEY` ...) together with a literal value that is no switch and no file. Names that only
    point to a secret (`*_ARN`, `*_NAME`, `*_CMD` ...) are fine.
    """
    for pattern, kind in _VALUE:
        if pattern.search(value):
            return f"{name} holds {kind} in plain text; use a secret"
    upper = name.upper()
    if _HARMLESS_NAME.search(upper) or not _NAME.search(upper):
        return None
    if value.lower() in _PLAIN or _PATH.fullmatch(value):
        return None
    return f"{name} looks like a secret in plain text; use a secret"
