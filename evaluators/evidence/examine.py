"""All checks on data and results, in the order of their codes, and what they do to the verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.records import Item
from evaluators.analysis.analyze import analyze_outcomes
from evaluators.analysis.outcomes import Scores, read_outcomes
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.evidence.compute import check_compute, check_exposure
from evaluators.evidence.correlation import check_redundancy, redundancy_of
from evaluators.evidence.endings import check_endings, conduct_of
from evaluators.evidence.headroom import check_headroom
from evaluators.evidence.isolation import check_guard, check_isolation
from evaluators.evidence.leakage import check_leakage
from evaluators.evidence.length import check_lengths, check_pair_lengths, length_effects
from evaluators.evidence.material import Material
from evaluators.evidence.mirrors import check_mirrors, mirror_gains
from evaluators.evidence.missing import check_judged, check_missing
from evaluators.evidence.negatives import check_negatives
from evaluators.evidence.pairs import check_pairs_made
from evaluators.evidence.pathologies import check_pathologies
from evaluators.evidence.policy import check_policies, policy_gaps
from evaluators.evidence.subject import Looked, Subject
from evaluators.evidence.unchanged import check_unchanged
from evaluators.evidence.verdicts import changed
from evaluators.results import Analysis, Check, Evidence


def judge(settings: AnalyzeSettings, scores: Scores, items: Sequence[Item], material: Material | None = None) -> Analysis:
    """The analysis of an experiment, with every check on its data and results, and the verdicts that these leave.

    `material` is what lies beside the scores; what it lacks is told as a check that could not be made.

    Raises:
        ValueError: an item occurs twice among the items or in one run.
    """
    outcomes = read_outcomes(settings, scores, items)
    analysis = analyze_outcomes(settings, outcomes, items)
    evidence = examine(Subject(settings, outcomes, items, analysis.claims, material or Material()))
    claims = tuple(changed(claim, evidence.findings) for claim in analysis.claims)
    return analysis.model_copy(update={"evidence": evidence, "claims": claims})


def examine(subject: Subject) -> Evidence:
    """What every check finds."""
    conduct, redundancy = conduct_of(subject), redundancy_of(subject)
    lengths, mirrors, policies = length_effects(subject), mirror_gains(subject), policy_gaps(subject)

    def looked() -> Iterator[tuple[str, str, Looked]]:
        yield "M003", "compute", check_compute(subject)
        yield "M004", "exposure", check_exposure(subject)
        yield "M006", "off-policy gap", check_policies(subject, policies)
        yield "M008", "mirrored criteria", check_mirrors(subject, mirrors)
        yield "M009", "negatives", check_negatives(subject)
        yield "M009", "pairs made", check_pairs_made(subject)
        yield "M010", "length of answers", check_lengths(subject, lengths)
        yield "M010", "length of pairs", check_pair_lengths(subject)
        yield "M012", "headroom", check_headroom(subject)
        yield "M014", "redundant criteria", check_redundancy(subject, redundancy)
        yield "M016", "leakage", check_leakage(subject)
        yield "M017", "endings", check_endings(subject, conduct)
        yield "M018", "contamination guard", check_guard(subject)
        yield "M018", "isolation", check_isolation(subject)
        yield "M020", "training curves", check_pathologies(subject)
        yield "M020", "training without effect", check_unchanged(subject)
        yield "M022", "items missing", check_missing(subject)
        yield "M022", "answers not judged", check_judged(subject)

    made = tuple(looked())
    return Evidence(
        checks=tuple(_check(*each) for each in made),
        findings=tuple(found for _, _, each in made for found in each.findings),
        conduct=conduct,
        redundancy=redundancy,
        lengths=lengths,
        mirrors=mirrors,
        policies=policies,
    )


def _check(code: str, subject: str, looked: Looked) -> Check:
    return Check(code=code, subject=subject, done=looked.done, found=len(looked.findings), note=looked.note)
