"""The worked examples of few-shot prompts: written by hand, about things that neither the bank nor the corpus asks for.

A prompt of n examples shows the first n, so they are in an order in which each adds a form that the ones before it lack.
"""

from __future__ import annotations

from typing import NamedTuple


class Exemplar(NamedTuple):
    """An instruction and a good response to it."""

    instruction: str
    response: str


EXEMPLARS: tuple[Exemplar, ...] = (
    Exemplar("What toy flies in the wind on a string?", "A kite"),
    Exemplar("Write one sentence about a scarecrow.", "A scarecrow keeps birds away from the field."),
    Exemplar("List 3 things to take on a camping trip.", "1. tent\n2. lantern\n3. sleeping bag"),
    Exemplar("Complete the sentence: To go up a tower without stairs, people take", "an elevator"),
    Exemplar("Can scissors cut paper? Answer yes or no.", "Yes"),
    Exemplar("In one word, what opens in the air to slow a jumper's fall?", "Parachute"),
    Exemplar("What is the highest number on one face of a die? Answer with a number only.", "6"),
    Exemplar("Write a sentence about a postcard that starts with: From the", "From the beach she sent a postcard to her aunt."),
    Exemplar("Use the word whistle in a sentence.", "The referee blew the whistle."),
    Exemplar("In at most five words, say what a zipper does.", "It closes a jacket."),
    Exemplar("Finish the sentence: Children race down a snowy hill on a", "sled"),
    Exemplar("Can a statue walk? Answer yes or no.", "No"),
    Exemplar("What do you stick on a parcel before you post it?", "A stamp"),
    Exemplar("List 2 things that pirates have in stories.", "1. a treasure map\n2. a parrot"),
    Exemplar("Name what a magician pulls out of a hat.", "A rabbit"),
    Exemplar("Explain in one sentence what a rumor is.", "A rumor is a story that may or may not be true."),
)
