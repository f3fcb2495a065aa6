"""Keeps secrets out of what is written down: logs, messages, tags."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_NAMES = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY", re.IGNORECASE)
_SHORTEST = 8  # a shorter value is as likely a word of the text
_SHAPES = (
    (re.compile(r"(?<=://)[^/?#\s@]+(?=@)"), "***"),  # user:password@ in an address
    (re.compile(r"\b(?:hf|sk|ghp|gho|github_pat|glpat|xox[abp])[_-][A-Za-z0-9_-]{16,}"), "***"),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), "***"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 ***"),
    (re.compile(r"(?i)\b(password|passwd|secret|token|api[_-]?key)(\"?\s*[=:]\s*\"?)[^\s\"'&;,]{4,}"), r"\1\2***"),
)


def masked(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text without the values of secret environment variables and without what looks like a key or a password."""
    for name, value in environment.items():
        if len(value) >= _SHORTEST and _NAMES.search(name):
            text = text.replace(value, "***")
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text
