"""What findings do to verdicts: a claim that was decided may become confounded or inconclusive, and its sentence says why."""

from __future__ import annotations

from collections.abc import Sequence

from evaluators.analysis.sentences import confounded_sentence
from evaluators.results import ClaimResult, Finding, Verdict

_STRONGEST: tuple[Verdict, ...] = ("confounded", "inconclusive")
"""Which change wins where findings ask for several."""


def changed(claim: ClaimResult, findings: Sequence[Finding]) -> ClaimResult:
    """The claim with every finding that touches it among its reasons, and the verdict that the findings leave."""
    about = [found for found in findings if claim.claim in found.claims]
    asked = {found.changes[claim.claim] for found in about if claim.claim in found.changes}
    verdict = next((v for v in _STRONGEST if v in asked), None)
    reasons = (*claim.reasons, *(_reason(found, claim.claim) for found in about if found.weight != "notes"))
    if verdict is None or verdict == claim.verdict:
        return claim.model_copy(update={"reasons": reasons})
    because = [found for found in about if found.changes.get(claim.claim) == verdict]
    return claim.model_copy(
        update={
            "verdict": verdict,
            "statistical_verdict": claim.verdict,
            "sentence": _sentence(claim, verdict, because),
            "reasons": reasons,
            "confounds": (*claim.confounds, *(f"{f.message} ({f.code})" for f in because))
            if verdict == "confounded"
            else claim.confounds,
        }
    )


def _reason(found: Finding, claim: str) -> str:
    effect = {"blocks": "blocks the claim", "weakens": "calls for caution", "notes": "is worth knowing"}[found.weight]
    if claim in found.changes:
        effect = f"makes the claim {found.changes[claim]}"
    return f"{found.code} in the results: {found.message} ({found.subject}), which {effect}."


def _sentence(claim: ClaimResult, verdict: Verdict, because: Sequence[Finding]) -> str:
    """One sentence: what was measured, and why it does not decide the claim."""
    why = [f"{found.message} ({found.code})" for found in because]
    if verdict == "confounded":
        return confounded_sentence(claim.compare, claim.isolates, claim.contrasts, why)
    return f"{claim.sentence.rstrip('.')}; but {'; and '.join(why)}, so this is not decided."
