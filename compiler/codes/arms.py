"""S2: names that refer to nothing, and arms that do not fit together."""

from __future__ import annotations

from compiler.codes.entry import Code
from compiler.codes.example import RECIPES, TWO_STAGES

_MANY = [number / 10 for number in range(1, 51)]
_VARIED = RECIPES + "  sft_long: {from: base, train: sft, vary: {train.epochs: [5, 9]}}\n"


def _claim(text: str) -> str:
    return f"{TWO_STAGES}claims:\n  gain:\n    says: DPO helps\n    compare: [sft_dpo, sft]\n    expect: greater\n    {text}\n"


CODES = (
    Code(
        "S201",
        "an unknown arm",
        "`from`, `match`, `compare` and the sources of data name arms of this spec. There is none of this name.",
        RECIPES + "  sft_dpo: {from: stf, train: dpo}\n",
        TWO_STAGES,
    ),
    Code(
        "S202",
        "an unknown recipe",
        "`train` names one of the spec's `recipes`. There is none of this name.",
        RECIPES + "  sft_dpo: {from: sft, train: dop}\n",
        TWO_STAGES,
    ),
    Code(
        "S203",
        "a name that means something else",
        "`demonstrations.from: chosen` means the chosen answers of the preference pairs, so no arm can be called `chosen`.",
        "experiment: demo\narms: {base: {}, chosen: {from: base, prompt: raw}}\n",
        "experiment: demo\narms: {base: {}, base_raw: {from: base, prompt: raw}}\n",
    ),
    Code(
        "S204",
        "an endpoint that is not measured",
        "A claim, or the list of primary endpoints, decides on a criterion that `evaluation.criteria` leaves out.",
        "experiment: demo\nevaluation: {criteria: [on_topic], primary: [coherent]}\narms: {base: {}}\n",
        "experiment: demo\nevaluation: {criteria: [on_topic, coherent], primary: [coherent]}\narms: {base: {}}\n",
    ),
    Code(
        "S205",
        "a claim without an endpoint",
        "A claim is about the endpoints in its `on`, or else about the primary ones. Here there are neither.",
        _claim("isolates: [train]"),
        _claim("on: [preference_accuracy]\n    isolates: [train]"),
    ),
    Code(
        "S206",
        "an unknown factor",
        """
        `isolates` names what may differ between the two arms of a claim: `from` (what they start from), `prompt`,
        `train` or one of its settings (`train.beta`), `data` or a part of it (`data.preferences.rejected`), `engine` (whose
        trainers carried out every training in an arm's lineage).
        """,
        _claim("on: [preference_accuracy]\n    isolates: [training]"),
        _claim("on: [preference_accuracy]\n    isolates: [train]"),
    ),
    Code(
        "S207",
        "arms that need each other in a circle",
        """
        An arm needs the arm it starts from, the one whose tokens it matches, and the ones that write its demonstrations
        or its chosen answers. None of these may need the arm in turn, or nothing could be trained first. The notes tell
        the circle.
        """,
        RECIPES.replace("sft: {from: base", "sft: {from: sft_dpo") + "  sft_dpo: {from: sft, train: dpo}\n",
        TWO_STAGES,
    ),
    Code(
        "S208",
        "an arm that does nothing",
        """
        The arm starts from another, is not trained, and is asked in the same way: it would be the same arm under
        another name.
        """,
        "experiment: demo\narms: {base: {}, other: {from: base}}\n",
        "experiment: demo\narms: {base: {}, other: {from: base, prompt: few-shot}}\n",
    ),
    Code(
        "S209",
        "two arms that are the same (warning)",
        """
        All resolved settings of the two arms agree, so they share every step and every result. Was something meant to
        differ?
        """,
        RECIPES + "  again: {from: base, train: {use: sft}}\n",
        RECIPES + "  again: {from: base, train: {use: sft, loss_on: all}}\n",
    ),
    Code(
        "S210",
        "nobody writes the chosen answers",
        """
        DPO learns from pairs of a chosen and a rejected answer; an arm must be named that writes the chosen ones.
        (Demonstrations `from: chosen` need them too.)
        """,
        "experiment: demo\nrecipes: {dpo: {objective: dpo}}\narms: {base: {}, dpo_only: {from: base, train: dpo}}\n",
        TWO_STAGES,
    ),
    Code(
        "S211",
        "tokens of an arm that is not trained",
        "`match: {tokens: ARM}` trains as long as another arm did. That arm is not trained itself.",
        RECIPES + "  longer: {from: sft, train: {use: sft, match: {tokens: base}}}\n",
        TWO_STAGES + "  longer: {from: sft, train: {use: sft, match: {tokens: sft_dpo}}}\n",
    ),
    Code(
        "S212",
        "a micro-batch larger than its batch",
        "A batch is trained in micro-batches whose gradients are added up, so that it need not fit into memory at once.",
        "experiment: demo\nrecipes: {sft: {objective: sft, batch_size: 8, micro_batch_size: 16}}\narms: {a: {train: sft}}\n",
        "experiment: demo\nrecipes: {sft: {objective: sft, batch_size: 8, micro_batch_size: 4}}\narms: {a: {train: sft}}\n",
    ),
    Code(
        "S213",
        "4-bit weights without an adapter",
        "Quantized weights are frozen; only an adapter on top of them can be trained.",
        "experiment: demo\nmodel: {quantization: nf4, adapter: null}\nrecipes: {sft: {objective: sft}}\n"
        "arms: {a: {train: sft}}\n",
        "experiment: demo\nmodel: {quantization: nf4, adapter: {rank: 16}}\nrecipes: {sft: {objective: sft}}\n"
        "arms: {a: {train: sft}}\n",
    ),
    Code(
        "S214",
        "a recipe that no arm uses (warning)",
        "Nothing is trained by this recipe. Often an arm's `train` was forgotten, or names another recipe.",
        "experiment: demo\nrecipes: {sft: {objective: sft}, long: {objective: sft, epochs: 9}}\narms: {a: {train: sft}}\n",
        "experiment: demo\nrecipes: {sft: {objective: sft}, long: {objective: sft, epochs: 9}}\n"
        "arms: {a: {train: sft}, b: {train: long}}\n",
    ),
    Code(
        "S215",
        "data that an arm does not use (warning)",
        """
        Demonstrations serve arms trained by SFT, preferences serve arms trained by DPO; this arm's training does not
        look at them.
        """,
        RECIPES + "  sft_dpo: {from: sft, train: dpo, data: {demonstrations: {few_shot: 2}}}\n",
        RECIPES + "  sft_dpo: {from: sft, train: dpo, data: {preferences: {rejected: uniform}}}\n",
    ),
    Code(
        "S216",
        "more pairs than there can be (warning)",
        """
        An instruction gets at most one negative of each type, so the number of pairs is bounded by instructions times types.
        What cannot be built is left out, and the arm is trained on fewer pairs than its spec says.
        """,
        TWO_STAGES.replace("{chosen:", "{rejected: {off_topic: 1}, pairs: 500, chosen:"),
        TWO_STAGES.replace("{chosen:", "{rejected: {off_topic: 1}, pairs: 200, chosen:"),
    ),
    Code(
        "S217",
        "a `vary` that varies nothing",
        """
        `vary` names settings of its arm and lists the values that each takes; every combination becomes an arm of its own,
        called `ARM_SETTING_VALUE`. A setting is written as a path, such as `train.beta` or `data.preferences.rejected`.
        """,
        RECIPES + "  sft_dpo: {from: sft, train: dpo, vary: {train.beta: 0.1}}\n",
        RECIPES + "  sft_dpo: {from: sft, train: dpo, vary: {train.beta: [0.05, 0.1]}}\n",
    ),
    Code(
        "S218",
        "a `vary` that makes too many arms",
        """
        Every combination of the listed values is trained once per seed, so a grid over a few settings grows large quickly. All
        grids of a spec together may make 2,000 arms.
        """,
        RECIPES + f"  sft_dpo: {{from: sft, train: dpo, vary: {{train.beta: {_MANY}, train.epochs: {_MANY}}}}}\n",
        RECIPES + "  sft_dpo: {from: sft, train: dpo, vary: {train.beta: [0.05, 0.1], train.epochs: [1, 2]}}\n",
    ),
    Code(
        "S219",
        "a `vary` that makes an arm that is there",
        "An arm that a `vary` makes would have the name of another arm, so claims could not tell them apart.",
        RECIPES + "  tuned_beta_0.1: {from: sft, train: dpo}\n  tuned: {from: sft, train: dpo, vary: {train.beta: [0.1]}}\n",
        RECIPES + "  plain: {from: sft, train: dpo}\n  tuned: {from: sft, train: dpo, vary: {train.beta: [0.2, 0.3]}}\n",
    ),
    Code(
        "S220",
        "one arm is meant where there are several",
        """
        An arm with `vary` becomes several arms, so its own name no longer says which one is meant. Name one of those, or let
        the arm that follows them vary too: `vary: {from: [sft_epochs_1, sft_epochs_3]}`.
        """,
        _VARIED + "  sft_dpo: {from: sft_long, train: dpo}\n",
        _VARIED + "  sft_dpo: {train: dpo, vary: {from: [sft_long_epochs_5, sft_long_epochs_9]}}\n",
    ),
    Code(
        "S221",
        "variants of a preference loss that do not go together",
        """
        `loss: ipo` (Azar et al. 2023) is a squared loss on mean log-ratios per token: it has no label to smooth, and is
        normalised by length as it is. `label_smoothing` (cDPO) and `length_normalised` both change the sigmoid loss, and have
        not been defined together. `sft_weight` (RPO) goes with all of them.
        """,
        TWO_STAGES.replace("{objective: dpo}", "{objective: dpo, loss: ipo, label_smoothing: 0.1}"),
        TWO_STAGES.replace("{objective: dpo}", "{objective: dpo, loss: ipo, sft_weight: 0.2}"),
    ),
    Code(
        "S222",
        "a setting that TRL is not asked to carry out",
        """
        `engine: trl` replicates an arm with TRL's own trainers, on the same batches and on one device. With several
        `runtime.devices` only `engine: stage1` trains.
        """,
        TWO_STAGES.replace("{objective: dpo}", "{objective: dpo, engine: trl}") + "runtime: {devices: 2}\n",
        TWO_STAGES.replace("{objective: dpo}", "{objective: dpo, engine: trl}"),
    ),
    Code(
        "S223",
        "double quantization of weights that are not quantized",
        "`double_quantization` stores the scales of 4-bit weights in 8 bits. Without `quantization: nf4` there are no scales.",
        "experiment: demo\nmodel: {double_quantization: true}\narms: {a: {}}\n",
        "experiment: demo\nmodel: {quantization: nf4, double_quantization: true}\narms: {a: {}}\n",
    ),
    Code(
        "S224",
        "a hub model that is not pinned (warning)",
        """
        A model of the hub is identified by the commit in `model.revision`. Without it, the weights are those that the hub
        serves on the day, and a run next year may silently be about others.
        """,
        "experiment: demo\nmodel: {base: Qwen/Qwen2.5-0.5B}\narms: {a: {}}\n",
        "experiment: demo\nmodel: {base: Qwen/Qwen2.5-0.5B, revision: 060db6499f32faf8b98477b0a26969ef7d8b9987}\n"
        "arms: {a: {}}\n",
    ),
    Code(
        "S225",
        "four-bit weights sharded over devices",
        """
        `strategy: fsdp` shards dense weights. Those in 4 bits are small enough for one device and train on several with
        `strategy: ddp`, which holds them on each.
        """,
        TWO_STAGES + "model: {quantization: nf4}\nruntime: {devices: 2, strategy: fsdp}\n",
        TWO_STAGES + "model: {quantization: nf4}\nruntime: {devices: 2, strategy: ddp}\n",
    ),
    Code(
        "S226",
        "weights in bfloat16 without an adapter",
        """
        A number in bfloat16 has eight binary digits: an update of less than about a five-hundredth of a weight is rounded away,
        and those of AdamW at the learning rates of post-training are smaller. With `adapter: null` an arm would look untrained.
        An adapter's own weights are float32, on a base model in bfloat16, too.
        """,
        "experiment: demo\nmodel: {dtype: bfloat16, adapter: null}\nrecipes: {sft: {objective: sft}}\n"
        "arms: {a: {train: sft}}\n",
        "experiment: demo\nmodel: {dtype: float32, adapter: null}\nrecipes: {sft: {objective: sft}}\narms: {a: {train: sft}}\n",
    ),
)
