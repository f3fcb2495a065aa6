"""The statistics in one paragraph, as a paper would say it."""

from __future__ import annotations

from evaluators.analysis.outcomes import Outcomes
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.analysis.words import percent, points

_CORRECTIONS = {
    "holm": "Holm's method",
    "bonferroni": "Bonferroni's method",
    "bh": "the Benjamini-Hochberg procedure",
    "by": "the Benjamini-Yekutieli procedure",
    "none": "no method (uncorrected)",
}


def methods_of(settings: AnalyzeSettings, outcomes: Outcomes) -> str:
    """What was computed, for a methods section."""
    levels = settings.analysis
    by_family = ", clustered by template family," if outcomes.families is not None else ""
    return (
        f"Every arm answered the same {len(outcomes.items)} held-out items. Rates carry 95% Wilson intervals on the number "
        "of items, training seeds averaged. Claims about a way of training were tested with a crossed item x training seed "
        f"t-test: the variance of a difference is that of item differences averaged over seeds{by_family} plus the variance "
        "between training seeds beyond chance on single items, pooled over all trained arms, with Satterthwaite degrees of "
        "freedom; they count as supported only if the seed variance of the two arms alone and a sign-flip test on items agree "
        "(Wilcoxon's signed-rank test where outcomes have more than two values). "
        "Claims about checkpoints were tested with the exact McNemar test (Tango intervals), or with a sign-flip test on item "
        "differences averaged over seeds. Equivalence was tested with two one-sided tests and non-inferiority with one, at a "
        f"margin of {points(levels.smallest_effect)} points. All other tests were two-sided. The level was "
        f"{percent(levels.alpha)}; p-values of the claims' tests were corrected with "
        f"{_CORRECTIONS[levels.correction.primary]}, those of all other contrasts with "
        f"{_CORRECTIONS[levels.correction.secondary]}. Detectable effects were found by simulating the very test on resampled "
        f"items, for a power of {percent(levels.power)} at the strictest corrected level. Items without an answer count as "
        "failed; items to which a criterion does not apply are left out of it."
    )
