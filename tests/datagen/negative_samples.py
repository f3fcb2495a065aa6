"""Items and answers that the tests of negatives share: a small world of known facts, and random ones."""

from __future__ import annotations

from hypothesis import strategies as st

from compiler.records import Answer, Constraint, Item

CAPITALS = {"Veldon": "Marsk", "Orlin": "Tevra", "Kasmar": "Dulo", "Prenna": "Ilsk", "Sorven": "Quell", "Tamber": "Yosk"}
METALS = {"brakite": "soft", "olvium": "brittle", "tessite": "heavy", "murnium": "shiny"}
COUNTS = {"a gralk": 6, "a trupp": 8, "a snolf": 14, "a wemble": 120}
STANCES = {"a gralk swims": "Yes", "a trupp flies": "No"}
LISTS = {
    "Veldic birds": ["rolk", "pessin", "tarrow"],
    "Orlin dances": ["hupple", "strazza", "mink step"],
    "soups": ["barlo", "quissa", "fenn"],
}


def capital_item(entity: str, **changes: object) -> Item:
    """A question with one right answer, of a relation that the bank does not know."""
    item = Item(
        id=f"seat/1/{entity}", kind="qa", instruction=f"What is the seat of {entity}?", answers=(CAPITALS[entity],),
        good_answer=f"{CAPITALS[entity]} is the seat of {entity}.", family="seat/1", entity=entity, topic="realms",
    )  # fmt: skip
    return item.model_copy(update=changes)


def world() -> list[Item]:
    """Items of five relations and five topics: plain values, one-word answers, numbers, yes or no, lists."""
    items = [capital_item(entity) for entity in CAPITALS]
    for entity, value in METALS.items():
        items.append(
            Item(id=f"feel/2/{entity}", kind="response", instruction=f"Describe {entity} in one word.", answers=(value,),
                 constraint=Constraint(type="one_word"), good_answer=value, family="feel/2", entity=entity, topic="ores")
        )  # fmt: skip
    for entity, count in COUNTS.items():
        items.append(
            Item(id=f"legs/1/{entity}", kind="qa", instruction=f"How many legs has {entity}? Give a number only.",
                 answers=(str(count),), constraint=Constraint(type="number"), good_answer=str(count), family="legs/1",
                 entity=entity, topic="beasts")
        )  # fmt: skip
    for entity, stance in STANCES.items():
        items.append(
            Item(id=f"deed/1/{entity}", kind="qa", instruction=f"Is it so that {entity}? Answer yes or no.", answers=(stance,),
                 constraint=Constraint(type="yes_no"), good_answer=stance, family="deed/1", entity=entity, topic="deeds")
        )  # fmt: skip
    for entity, members in LISTS.items():
        lines = "\n".join(f"{place}. {member}" for place, member in enumerate(members, start=1))
        items.append(
            Item(id=f"list/1/{entity}", kind="generation", instruction=f"List three {entity}.",
                 constraint=Constraint(type="list", n=3), good_answer=lines, family="list/1", entity=entity, topic=f"{entity} lore")
        )  # fmt: skip
    return items


def answer(item: Item, response: str, *, split: str = "train", hit_token_limit: bool = False) -> Answer:
    """What a model wrote to an item."""
    return Answer.model_validate(
        {"item_id": item.id, "split": split, "response": response, "tokens": 1, "hit_token_limit": hit_token_limit}
    )


def good_answers(items: list[Item], validation: int = 0) -> list[Answer]:
    """The good answer to every item as a trained model writes it; the last `validation` items are validation items."""
    first = len(items) - validation
    return [
        answer(item, f" {item.good_answer}\nEND", split="train" if place < first else "validation")
        for place, item in enumerate(items)
    ]


PIECES = ["END", "Instruction:", "Response:", "Q:", "User:", "###", "\n", "\r\n", " ", "Paris", "Paris.", "the cat sat on the mat", "1. a", "2. b",
          "yes", "no", "42", "I cannot help with that", "[your name]", "\x00", "\u2028", "\u200b", "é", "日本", "```", "?", "**", "=", "a"]  # fmt: skip

model_text = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
)
"""What a base model may write: anything, and mixtures of what the rules look for."""

constraints = st.one_of(
    st.none(),
    st.builds(
        Constraint,
        type=st.sampled_from(["one_word", "yes_no", "number", "list", "sentences", "words_max", "contains", "starts_with"]),
        n=st.one_of(st.none(), st.integers(-1, 5)),
        text=st.one_of(st.none(), st.text(max_size=5)),
    ),
)


@st.composite
def random_items(draw: st.DrawFn, most: int = 5) -> list[Item]:
    """A few items with anything in their fields, and distinct ids."""
    bodies = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "kind": st.sampled_from(["completion", "qa", "generation", "response"]),
                    "instruction": st.one_of(st.text(min_size=1, max_size=30), st.sampled_from(["Is it red or blue?", "What is 7 + 0?", "Name a or"])),
                    "answers": st.one_of(st.none(), st.lists(st.one_of(st.text(max_size=6), st.sampled_from(["Yes", "no", "7", "3.50", "1,000", "red", "+", "-0", "²"])), max_size=3).map(tuple)),
                    "constraint": constraints,
                    "good_answer": st.one_of(st.none(), model_text),
                    "family": st.sampled_from(["", "f/1", "f/2", "g"]),
                    "entity": st.one_of(st.text(max_size=5), st.sampled_from(["x", "{topic}", "\\1"])),
                    "topic": st.sampled_from(["", "t", "u", "{}"]),
                }
            ),
            min_size=1,
            max_size=most,
        )
    )  # fmt: skip
    return [Item(id=f"i{place}", **body) for place, body in enumerate(bodies)]
