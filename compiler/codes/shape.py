"""S1: keys and values that the language does not have."""

from __future__ import annotations

from compiler.codes.entry import Code

CODES = (
    Code(
        "S101",
        "a key is missing",
        "This mapping cannot do without the key. Everything else has a default; `stage1 schema` lists them.",
        "experiment: demo\nrecipes:\n  sft: {epochs: 2}\narms:\n  base: {}\n  sft: {from: base, train: sft}\n",
        "experiment: demo\nrecipes:\n  sft: {objective: sft, epochs: 2}\narms:\n  base: {}\n  sft: {from: base, train: sft}\n",
    ),
    Code(
        "S102",
        "a value of the wrong type",
        """
        The key takes another type of value. Types are strict: `"200"` in quotes is text, not a number; `1e-4` and `5`
        are numbers; `no` and `off` are text; `true` and `false` are truth values.
        """,
        'experiment: demo\ndata:\n  instructions: {train: "200"}\narms: {base: {}}\n',
        "experiment: demo\ndata:\n  instructions: {train: 200}\narms: {base: {}}\n",
    ),
    Code(
        "S103",
        "a value out of range",
        "The type is right, but the value is too small, too large, too short, too long, or no finite number.",
        "experiment: demo\nanalysis: {alpha: 5}\narms: {base: {}}\n",
        "experiment: demo\nanalysis: {alpha: 0.05}\narms: {base: {}}\n",
    ),
    Code(
        "S104",
        "an unknown key",
        """
        Nothing in the language has this key here, so it would change nothing: mostly a typing mistake, or a key one
        level too high or too low. The help line names the closest key that is valid in this place.
        """,
        "experiment: demo\nrecipes:\n  dpo: {objective: dpo, betaa: 0.1}\narms: {base: {}}\n",
        "experiment: demo\nmodel: {adapter: {rank: 8}}\narms: {base: {}}\n",
    ),
    Code(
        "S105",
        "a word that is not one of the possible ones",
        "The key takes one of a few words, such as a criterion, a level or a negative type, and this is none of them.",
        "experiment: demo\nevaluation: {criteria: [on_topik]}\narms: {base: {}}\n",
        "experiment: demo\nevaluation: {criteria: [on_topic]}\narms: {base: {}}\n",
    ),
    Code(
        "S106",
        "something that cannot be a name",
        """
        Names of arms, recipes and claims become parts of file names, of step ids and of tracked parameters: they begin
        with a letter, and letters, digits, `_` and `-` follow, at most 80.
        """,
        "experiment: demo\narms:\n  base: {}\n  few shot: {from: base, prompt: few-shot}\n",
        "experiment: demo\narms:\n  base: {}\n  few_shot: {from: base, prompt: few-shot}\n",
    ),
    Code(
        "S107",
        "shares that do not sum to 1",
        "The shares of the negative types are fractions of all pairs. Types that are left out have no share.",
        "experiment: demo\ndata:\n  preferences:\n    rejected: {off_topic: 0.5, verbose_vague: 0.3}\narms: {base: {}}\n",
        "experiment: demo\ndata:\n  preferences:\n    rejected: {off_topic: 0.5, verbose_vague: 0.5}\narms: {base: {}}\n",
    ),
    Code(
        "S108",
        "something stands twice in a list",
        "A seed, a criterion or an arm that is given twice would be counted twice, or it was meant to be another one.",
        "experiment: demo\nseeds: [1, 2, 2]\narms: {base: {}}\n",
        "experiment: demo\nseeds: [1, 2, 3]\narms: {base: {}}\n",
    ),
    Code(
        "S109",
        "assumptions that contradict each other",
        """
        Two arms differ on at least as many items as their rates differ by, and on no more than if their answers had nothing
        to do with each other: with rates of 65% and 75% that is 10% to 42.5% of the items.
        """,
        "experiment: demo\narms: {base: {}}\nanalysis: {assumptions: {base_rate: 0.65, discordance: 0.6}}\n",
        "experiment: demo\narms: {base: {}}\nanalysis: {assumptions: {base_rate: 0.65, discordance: 0.3}}\n",
    ),
)
