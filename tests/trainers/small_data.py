"""Demonstrations, pairs and recipes as small as they can be without being trivial."""

from compiler.records import Demonstration, PreferencePair
from models.pairs import pair_log_probs
from trainers.examples import Examples

ADAPTER = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear"}


def recipe(objective, **changes):
    """A resolved recipe as a plan has it."""
    own = {"loss_on": "response"} if objective == "sft" else {"beta": 0.1}
    return {
        "objective": objective, "epochs": 1, "learning_rate": 1e-2, "batch_size": 4, "micro_batch_size": None, "max_length": 128,
        "schedule": "linear", "warmup_ratio": 0.0, "weight_decay": 0.0, "max_grad_norm": 1.0, "match": None, **own, **changes,
    }  # fmt: skip


def demonstrations(train=10, validation=3):
    """Answers of different lengths."""
    return [
        Demonstration(
            item_id=f"i{number}",
            instruction=f"Say {number} words, please.",
            response=" ".join(["word", "two", "Paris"][: number % 3 + 1]) * (number % 4 + 1),
            split="train" if number < train else "validation",
        )
        for number in range(train + validation)
    ]


def pairs(train=10, validation=4):
    """One to three pairs an item; the chosen answer is shared within an item."""
    rows = []
    for number in range(train + validation):
        item = number // 3 if number % 5 else 100 + number
        rows.append(
            PreferencePair(
                id=f"p{number}",
                item_id=f"i{item}",
                instruction=f"Name thing {item}.",
                chosen=f"Thing {item}.",
                rejected="No, I would rather not. " * (number % 3) + f"Never {number}",
                negative_type="unwarranted_refusal",
                split="train" if number < train else "validation",
            )
        )
    return rows


def dpo_examples(base, **sizes):
    """Pairs with their log-probabilities under what is loaded now."""
    rows = pairs(**sizes)
    return Examples(pairs=rows, reference=pair_log_probs(base, rows))


def examples(objective, base, **sizes):
    """Of either kind."""
    return Examples(demonstrations=demonstrations(**sizes)) if objective == "sft" else dpo_examples(base, **sizes)
