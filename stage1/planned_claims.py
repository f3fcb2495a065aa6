"""Which claims were made before the answers that decide them: every answer's manifest names the claims it was made under.

A claim's mark is a hash of what is tested and at which level, not of its name or wording. The record travels with the
artifacts, so that neither clocks nor a second place are needed. A claim counts as planned when all answers of one of its arms
were made under a plan that had it: until then nobody could know the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.plan import Plan, fingerprint

RECORDED = "claims"
"""The key in a manifest's provenance."""
KINDS = frozenset({"respond", "prefer"})
"""Steps whose results can decide claims."""
_TESTED = ("kind", "compare", "expect", "on")
_LEVELS = ("alpha", "smallest_effect", "correction")


def marks(plan: Plan) -> dict[str, str]:
    """Claim -> its mark."""
    settings = plan.step(plan.analyze).settings
    levels = {key: settings.get("analysis", {}).get(key) for key in _LEVELS}
    claims = settings.get("claims", ())
    return {claim["name"]: fingerprint(levels | {key: claim[key] for key in _TESTED})[:16] for claim in claims}


def late_claims(plan: Plan, manifests: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """The claims that came after the answers of both of their arms; answers without a record are taken to be in time.

    Args:
        plan: the plan that is reported.
        manifests: step id -> manifest.
    """
    made_under: dict[str, list[list[str]]] = {}
    for entry in plan.arms:
        for step in (entry.respond, entry.prefer):
            recorded = manifests[step]["provenance"].get(RECORDED) if step else None
            if recorded is not None:
                made_under.setdefault(entry.arm, []).append(recorded)
    compared = {claim["name"]: claim["compare"] for claim in plan.step(plan.analyze).settings.get("claims", ())}
    return frozenset(
        name
        for name, mark in marks(plan).items()
        if all(any(mark not in recorded for recorded in made_under.get(arm, [])) for arm in compared[name])
    )
