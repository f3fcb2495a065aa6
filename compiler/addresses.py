"""Addresses into which people may have put a password."""

from __future__ import annotations

import re

_SIGNED_IN = re.compile(r"(?<=://)[^/?#\s]*@")
_PARAMETER = re.compile(r"(?i)([?&;][^=&;#]*(?:pass|pwd|secret|token|key)[^=&;#]*=)[^&;#\s]*")


def without_secrets(address: str) -> str:
    """The address as it may be written down: without user and password, secret parameters as `***`."""
    return _PARAMETER.sub(r"\1***", _SIGNED_IN.sub("", address))
