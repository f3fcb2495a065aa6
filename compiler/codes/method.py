"""M: whether the arms can answer the claims."""

from __future__ import annotations

from compiler.codes.entry import Code

_ARMS = """
experiment: demo
data: {preferences: {chosen: {from: sft}}}
recipes:
  sft: {objective: sft}
  dpo: {objective: dpo}
arms:
  base: {}
  sft: {from: base, train: sft}
  sft_dpo: {from: sft, train: dpo}
"""


def _claim(second: str, isolates: str) -> str:
    return (
        "claims:\n  two_stage:\n    says: SFT then DPO follows instructions better than DPO alone\n"
        f"    compare: [sft_dpo, {second}]\n    expect: greater\n    on: [addresses_instruction]\n    isolates: [{isolates}]\n"
    )


CODES = (
    Code(
        "M001",
        "a claim that no arm can test",
        """
        The two arms of the claim agree in every setting along their whole lineage, so any difference between their
        results is chance. The claim needs an arm in which the claimed factor differs.
        """,
        _ARMS + "  dpo_only: {from: sft, train: {use: dpo}}\n" + _claim("dpo_only", "from"),
        _ARMS + "  dpo_only: {from: base, train: dpo}\n" + _claim("dpo_only", "from"),
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
        _ARMS + "  dpo_only: {from: base, train: {use: dpo, epochs: 3}}\n" + _claim("dpo_only", "from"),
        _ARMS + "  dpo_only: {from: base, train: dpo}\n" + _claim("dpo_only", "from"),
    ),
    Code(
        "M101",
        "an isolated factor that does not differ (warning)",
        "The claim says that it isolates this factor, but both arms have the same value of it.",
        _ARMS + "  dpo_only: {from: base, train: dpo}\n" + _claim("dpo_only", "from, train.beta"),
        _ARMS + "  dpo_only: {from: base, train: dpo}\n" + _claim("dpo_only", "from"),
    ),
)
