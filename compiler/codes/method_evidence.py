"""M010 to M016, M018, M019, M022 to M024: whether there is enough to decide, and whether it is decided fairly."""

from __future__ import annotations

from compiler.codes.entry import Code
from compiler.codes.method_example import ARMS, claim

_LEVEL = "\n        A warning at `level: mvp`, an error at `level: publication`."
_GAIN = claim("gain", "sft, base", "train")
_FILE = "data: {instructions: {source: mine.jsonl, train: 1, validation: 0, heldout: 1}, preferences"
_OWN = ARMS.replace("data: {preferences", _FILE)
_ITEMS = '{"kind": "qa", "instruction": "Name the capital of France."}\n{"kind": "qa", "instruction": "%s"}\n'

CODES = (
    Code(
        "M010",
        "answers are cut off shorter than they were learned (warning)",
        """
        The arms learn from answers that are longer than the evaluation allows, so an answer may fail by its length
        alone, and shorter answers look better. Length gaps and truncation are checked again after the run: a difference of
        which less than half is left at equal length, and that may then be none, is not decided.
        """,
        ARMS + "evaluation: {decode: {max_new_tokens: 40}}\n" + _GAIN,
        ARMS + _GAIN,
    ),
    Code(
        "M011",
        "too few training seeds",
        """
        A claim about a way of training needs several trainings: with one seed no test of it is valid. A trial run needs
        3 seeds, evidence for others 5. `kind: checkpoint` claims less: that these very weights are better.
        """
        + _LEVEL,
        ARMS.replace("data:", "seeds: [1]\ndata:") + claim("gain", "sft, base", "train", kind="recipe"),
        ARMS.replace("data:", "seeds: [1, 2, 3, 4, 5]\ndata:") + claim("gain", "sft, base", "train", kind="recipe"),
    ),
    Code(
        "M012",
        "no base rate (warning)",
        """
        Without the untrained base model among the arms nobody knows how much room there was to improve: at a base rate
        of 95% no arm can gain more than 5 points. The rate itself is checked after the base model's answers, before
        training; with `evaluation.gate: stop` the run ends there when it leaves less room than the smallest effect. After
        the run the measured rate of each claim's second arm says what could be gained over it, or lost.
        """,
        ARMS.replace("  base: {}\n", "").replace("from: base, ", "")
        + "  sft_all: {train: {use: sft, loss_on: all}}\n"
        + claim("mask", "sft, sft_all", "train.loss_on"),
        ARMS + "  sft_all: {from: base, train: {use: sft, loss_on: all}}\n" + claim("mask", "sft, sft_all", "train.loss_on"),
    ),
    Code(
        "M013",
        "underpowered (warning)",
        """
        With these items, seeds and tests the smallest effect of interest would probably not be found, and not finding
        it would say nothing. At `level: mvp` a power below 40% is told, at `level: publication` one below 80%; and
        settings there that only make the power look better. An effect that does not fit above the assumed rate of the
        arm to be beaten cannot occur, however many items and seeds there are: name a smaller one, take harder items, or
        say in `analysis.assumptions.base_rate` what is known of that rate.
        """,
        ARMS.replace("data: {", "data: {instructions: {heldout: 40}, ") + _GAIN,
        ARMS.replace("data: {", "data: {instructions: {heldout: 400}, ") + _GAIN,
    ),
    Code(
        "M014",
        "redundant endpoints (warning)",
        """
        One flaw fails several of the claim's endpoints: prose after END is rambling, and spoils the ending and the
        structure; a wrong number of items fails the task and the length. Several endpoints then look like more evidence
        than there is.
        """,
        ARMS + claim("gain", "sft, base", "train", on="ends_with_end, no_rambling"),
        ARMS + claim("gain", "sft, base", "train", on="no_rambling"),
    ),
    Code(
        "M015",
        "one sampled answer per item (warning)",
        "Sampled answers vary from draw to draw, which no test accounts for when there is one per item. Decode greedily.",
        ARMS + "evaluation: {decode: {temperature: 0.7}}\n" + _GAIN,
        ARMS + _GAIN,
    ),
    Code(
        "M016",
        "instructions that repeat each other",
        """
        Instructions that are equal but for capitals and punctuation end up on both sides of the split, so that some
        items are trained on and tested. Template families and near-duplicates are checked again on the data: a claim
        that is decided otherwise
        without the held-out items that nearly repeat a training instruction is confounded.
        """
        + _LEVEL,
        _OWN + _GAIN,
        ARMS + _GAIN,
        files={"mine.jsonl": _ITEMS % "Name the capital of FRANCE!"},
    ),
    Code(
        "M018",
        "arms that are asked otherwise than trained",
        """
        An arm trained on the instruction format is asked in another; or the base model is one that was tuned on
        instructions already, and brings its chat template; or, for evidence, a hub model is not pinned to a commit.
        """
        + _LEVEL,
        ARMS
        + "  sft_raw: {from: sft, prompt: raw}\n  dpo_raw: {from: sft_dpo, prompt: raw}\n"
        + claim("gain", "dpo_raw, sft_raw", "train"),
        ARMS + claim("gain", "sft_dpo, sft", "train"),
    ),
    Code(
        "M019",
        "settings that could only be chosen on the test items",
        """
        Several settings of one way of training are tried, and no validation instructions are kept, so that the best of
        them can only be found on the items that decide.
        """
        + _LEVEL,
        ARMS.replace("data: {", "data: {instructions: {validation: 0}, ")
        + "  soft: {from: sft, train: {use: dpo, beta: 0.05}}\n"
        + claim("gain", "sft_dpo, sft", "train"),
        ARMS + "  soft: {from: sft, train: {use: dpo, beta: 0.05}}\n" + claim("gain", "sft_dpo, sft", "train"),
    ),
    Code(
        "M021",
        "problems of a judging model: not applicable",
        """
        Where a model judges answers, its agreement with people, its preference for a position and for its own style
        would have to be shown. Here no model judges: all criteria are rules, whose agreement with people's labels
        `just criteria` measures. The review says so, and nothing raises this code.
        """,
        "",
        "",
    ),
    Code(
        "M022",
        "items that cannot be scored (warning)",
        """
        The claim is about facts, and most items of the instruction file have no reference answers: they are not scored,
        and few remain.
        """,
        _OWN + claim("gain", "sft, base", "train", on="factually_correct"),
        _OWN + claim("gain", "sft, base", "train"),
        files={"mine.jsonl": _ITEMS % "Name the capital of Spain."},
    ),
    Code(
        "M023",
        "another test than the claim needs",
        """
        A claim of sameness cannot rest on a difference that was not found: it needs `expect: equivalent` or
        `not_worse`, whose margin is the smallest effect. A claim that one gain is larger than another is a difference
        of differences, not two verdicts.
        """
        + _LEVEL,
        ARMS + claim("gain", "sft, base", "train", says="there is no difference between them", expect="different"),
        ARMS + claim("gain", "sft, base", "train", says="there is no difference between them", expect="equivalent"),
    ),
    Code(
        "M024",
        "many tests, and nothing said about chance",
        """
        Every test adds its chance of a false positive. Tests of claims are corrected as a family, all others for their
        false discovery rate; alpha is at most 0.05; and evidence for others names its primary endpoints beforehand.
        """
        + _LEVEL,
        ARMS + "analysis: {correction: {secondary: none}}\n" + _GAIN,
        ARMS + _GAIN,
    ),
)
