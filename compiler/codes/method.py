"""M: whether the arms can answer the claims."""

from __future__ import annotations

from compiler.codes import method_controls, method_evidence, method_pairs
from compiler.codes.entry import Code
from compiler.codes.method_example import ARMS, claim, two_stage

CODES = (
    Code(
        "M001",
        "a claim that no arm can test",
        """
        An arm that the claim compares does not exist, or its two arms agree in every setting along their whole lineage, so any
        difference between their results is chance. The claim needs an arm in which the claimed factor differs.

        A warning at `level: mvp`, an error at `level: publication`.
        """,
        ARMS + "  dpo_only: {from: sft, train: {use: dpo}}\n" + two_stage("dpo_only", "from"),
        ARMS + "  dpo_only: {from: base, train: dpo}\n" + two_stage("dpo_only", "from"),
    ),
    Code(
        "M002",
        "more differs than what is claimed",
        """
        The two arms are compared setting by setting, along everything that made them: what they start from, how they
        are trained, on which data, and how they are asked. Every setting that differs and that the claim does not
        isolate is a confound: it explains the result as well as the claim does. Make it equal, or add an arm that
        differs in one factor only.

        A warning at `level: mvp`, an error at `level: publication`.
        """,
        ARMS + "  dpo_only: {from: base, train: {use: dpo, epochs: 3}}\n" + two_stage("dpo_only", "from"),
        ARMS + "  dpo_only: {from: base, train: dpo}\n" + two_stage("dpo_only", "from"),
    ),
    *method_controls.CODES,
    *method_pairs.CODES,
    *method_evidence.CODES,
    Code(
        "M101",
        "an isolated factor that does not differ (warning)",
        "The claim says that it isolates this factor, but both arms have the same value of it.",
        ARMS + claim("gain", "sft, base", "train, prompt"),
        ARMS + claim("gain", "sft, base", "train"),
    ),
)
