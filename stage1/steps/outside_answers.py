"""Step `respond` of an arm whose answers were made elsewhere: they are read, checked and kept like any others."""

from __future__ import annotations

from compiler.outside_answers import read_responses
from compiler.records import Item
from stage1.steps.job import Job
from stage1.steps.planned_files import planned_text


def run(job: Job) -> None:
    """Write `answers.jsonl`: one answer per item that the file answers, in the order of the items."""
    path = job.settings["responses"]
    items = job.inputs["instructions"].read("heldout.jsonl", Item)
    lines = planned_text(job, path, job.settings["digest"]).split("\n")
    job.draft.write("answers.jsonl", read_responses(lines, path, items))
