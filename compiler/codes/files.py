"""S3 and S4: files that a spec refers to, the specs that it extends, and `--set`."""

from __future__ import annotations

from compiler.codes.entry import Code

_BANK = "experiment: demo\narms: {base: {}}\n"
_FROM_FILE = (
    "experiment: demo\ndata:\n  instructions: {source: mine.jsonl, train: 1, validation: 0, heldout: 1}\narms: {base: {}}\n"
)
_FIRST = '{"id": "a", "kind": "qa", "instruction": "What is the capital of France?", "answers": ["Paris"]}\n'
_SECOND = '{"id": "b", "kind": "completion", "instruction": "Complete: the sun rises in the"}\n'
_ANSWERED = _FROM_FILE.replace("{base: {}}", "{base: {}, other: {responses: answers.jsonl}}")

_OWN = "experiment: demo\nevaluation: {own_criteria: {short: right.py}}\narms: {base: {}}\n"
_CRITERION = """
from evaluators.criteria import Criterion

CRITERION = Criterion(
    name="short",
    definition="Has at most twenty words.",
    sees=("the text before the first marker",),
    blind_to=("how much there is to say",),
    judge=lambda view: len(view.words) <= 20,
)
"""

CODES = (
    Code(
        "S301",
        "the instruction file is not there",
        """
        `data.instructions.source` is `bank`, the built-in instructions, or the path of a JSONL file, seen from the
        working directory.
        """,
        _FROM_FILE,
        _BANK,
    ),
    Code(
        "S302",
        "the instruction file cannot be read",
        "The file is there, but it may not be read, it is a folder, or it is no text in UTF-8.",
        "experiment: demo\ndata:\n  instructions: {source: unreadable.jsonl}\narms: {base: {}}\n",
        _BANK,
    ),
    Code(
        "S303",
        "a line of the instruction file is wrong",
        """
        Every line is one JSON object: an item with a `kind` (completion, qa, generation or response) and an `instruction`;
        `id`, `answers`, `constraint`, `good_answer`, `family`, `entity` and `topic` are optional. No id and no instruction
        stands twice. The place is in that file.
        """,
        _FROM_FILE,
        _BANK,
        files={"mine.jsonl": _FIRST + '{"id": "b", "instruction": "Name a river."}\n'},
    ),
    Code(
        "S304",
        "the instruction file has too few items",
        "Training, validation and held-out items are distinct; together they are more than the file has.",
        _FROM_FILE.replace("heldout: 1", "heldout: 9"),
        _FROM_FILE,
        files={"mine.jsonl": _FIRST + _SECOND},
    ),
    Code(
        "S305",
        "the model is not there",
        """
        `model.base` is `tiny-base`, the id of a model on the hub, or a folder with a config, a tokenizer and
        safetensors weights.
        """,
        "experiment: demo\nmodel: {base: ./no/such/folder}\narms: {base: {}}\n",
        "experiment: demo\nmodel: {base: tiny-base}\narms: {base: {}}\n",
    ),
    Code(
        "S306",
        "a revision of a model that has none",
        """
        Only models of the hub have revisions. The embedded model and local folders are identified by a digest of their
        weights.
        """,
        "experiment: demo\nmodel: {base: tiny-base, revision: main}\narms: {base: {}}\n",
        _BANK,
    ),
    Code(
        "S307",
        "the spec that is extended is not there",
        """
        `extends: other.yaml` takes everything over from another spec and changes only what is written here. The path is seen
        from the folder of the file in which it is written.
        """,
        "extends: bsae.yaml\nexperiment: demo\n",
        "extends: base.yaml\nexperiment: demo\n",
        files={"base.yaml": _BANK},
    ),
    Code(
        "S308",
        "the spec that is extended cannot be read",
        "The file that `extends` names may not be read, is no text in UTF-8, or is no mapping of keys to values.",
        "extends: notes.yaml\nexperiment: demo\n",
        "extends: base.yaml\nexperiment: demo\n",
        files={"base.yaml": _BANK, "notes.yaml": "some notes\n"},
    ),
    Code(
        "S309",
        "specs that extend each other in a circle",
        "A spec may extend one that extends another, sixteen of them at most, but none of them may extend itself in the end.",
        "extends: first.yaml\nexperiment: demo\n",
        "extends: base.yaml\nexperiment: demo\n",
        files={"base.yaml": _BANK, "first.yaml": "extends: second.yaml\n", "second.yaml": "extends: first.yaml\n"},
    ),
    Code(
        "S310",
        "a file that the spec brings in cannot be read",
        """
        `evaluation.own_criteria` names Python files, `responses` of an arm a JSONL file of answers. Both are seen from the
        working directory.
        """,
        "experiment: demo\narms: {base: {}, other: {responses: answers.jsonl}}\n",
        _BANK,
    ),
    Code(
        "S311",
        "a criterion of one's own is code that is run (warning)",
        """
        A file in `evaluation.own_criteria` defines `CRITERION`, an `evaluators.criteria.Criterion` of the name given (or
        `CRITERIA`, several); `{entry_point: NAME}` means one of an installed package. `run` executes the file, or imports the
        package, with all your rights. What it returns is true, false, a number from 0
        (worst) to 1 (best) on an ordinal scale, or None where the criterion does not apply. An answer on which it fails is
        recorded as such and left out.
        """,
        "experiment: demo\nevaluation: {own_criteria: {short: mine.py}}\narms: {base: {}}\n",
        _BANK,
        files={"mine.py": _CRITERION},
    ),
    Code(
        "S312",
        "an arm whose answers were made elsewhere is something else, too",
        """
        `responses` brings in answers of any engine: each line has the `id` of a held-out item or its `instruction`, and the
        `response` (also `hit_token_limit` and `tokens`, if known). There is no model behind such an arm: it has no
        preference accuracy, nothing can start from it, and no other setting means anything to it.
        """,
        _ANSWERED.replace("answers.jsonl}", "answers.jsonl, prompt: raw}"),
        _ANSWERED,
        files={"mine.jsonl": _FIRST + _SECOND, "answers.jsonl": '{"id": "b", "response": " east\\nEND"}\n'},
    ),
    Code(
        "S313",
        "a criterion that no installed package declares, or more than one",
        """
        `own_criteria: {short: {entry_point: brevity}}` takes a criterion from an installed package, which declares it in its
        `pyproject.toml`:

            [project.entry-points."stage1.criteria"]
            brevity = "my_criteria.length:BREVITY"

        There stands an `evaluators.criteria.Criterion`, as in a file of one's own. The package's name and version and the
        module's source are part of the plan's fingerprint. Planning reads the package's metadata and imports nothing.
        """,
        "experiment: demo\nevaluation: {own_criteria: {short: {entry_point: brevity}}}\narms: {base: {}}\n",
        _BANK,
    ),
    Code(
        "S314",
        "a line of a file of answers is wrong",
        """
        Every line of the file that an arm's `responses` name is one JSON object: the `id` of a held-out item or its
        `instruction`, and the `response`; `hit_token_limit` and `tokens` where they are known. No item is answered twice, and
        none that is not held out: which those are follows from `data.instructions`. The place is in that file.
        """,
        _ANSWERED,
        _ANSWERED.replace("answers.jsonl", "right.jsonl"),
        files={
            "mine.jsonl": _FIRST + _SECOND,
            "answers.jsonl": '{"id": "b", "answer": " east\\nEND"}\n',
            "right.jsonl": '{"id": "b", "response": " east\\nEND"}\n',
        },
    ),
    Code(
        "S315",
        "a criterion of one's own is not Python",
        """
        A file in `evaluation.own_criteria` cannot be read as Python; the place is in that file. Planning compiles its text
        and runs nothing of it. What fails only when it runs, such as an import, `run` finds before its first step.
        """,
        _OWN.replace("right.py", "mine.py"),
        _OWN,
        files={"mine.py": "CRITERION = Criterion(\n", "right.py": _CRITERION},
    ),
    Code(
        "S401",
        "a `--set` without a path or a value",
        "`--set` takes a path of keys with dots between them, an equals sign, and a YAML value.",
        _BANK,
        _BANK,
        flags=("seeds",),
        right_flags=("seeds=[1, 2]",),
    ),
    Code(
        "S402",
        "a `--set` whose path cannot be followed",
        "The path runs through a value that is no mapping, or names an item that a list does not have (they count from 0).",
        _BANK,
        _BANK,
        flags=("experiment.name=other",),
        right_flags=("experiment=other",),
    ),
    Code(
        "S403",
        "`extends` as a flag",
        "Flags change a spec once it is read together with those it extends, so they cannot say what it extends.",
        _BANK,
        "extends: base.yaml\n",
        flags=("extends=base.yaml",),
        right_flags=("experiment=other",),
        files={"base.yaml": _BANK},
    ),
)
