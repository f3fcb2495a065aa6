"""What a model has computed once is not computed again, and nothing else is taken for it."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from nano import plan_of

from models.prompt_format import Encoded
from stage1.log_prob_cache import LogProbCache
from stage1.steps import log_probabilities
from stage1.steps.job import Job
from stage1.store import Store

ONE, OTHER = (Encoded((1, 2), (3, 4)),), (Encoded((1, 2, 3), (4,)),)


def test_remembers_across_processes(tmp_path):
    """What one learns another recalls, to the last bit; files of several writers add up."""
    LogProbCache(tmp_path / "a").learn({ONE: [-0.1]})
    LogProbCache(tmp_path / "a").learn({OTHER: [-1e-300]})

    assert LogProbCache(tmp_path / "a").recall(ONE) == [-0.1]
    assert LogProbCache(tmp_path / "a").recall(OTHER) == [-1e-300]


def test_the_boundary_counts(tmp_path):
    """The same ids split elsewhere into prompt and response are something else."""
    LogProbCache(tmp_path / "a").learn({ONE: [-0.1]})

    assert LogProbCache(tmp_path / "a").recall(OTHER) is None
    assert LogProbCache(tmp_path / "b").recall(ONE) is None


def test_what_was_read_beside_it_counts(tmp_path):
    """A response is not recalled from another tree: in the last bits its log-probability depends on what is read with it."""
    more = (*ONE, Encoded((1, 2), (5,)))
    LogProbCache(tmp_path).learn({more: [-0.1, -0.2]})

    assert LogProbCache(tmp_path).recall(ONE) is None
    assert LogProbCache(tmp_path).recall(more) == [-0.1, -0.2]


def test_a_damaged_file_is_not_believed(tmp_path):
    """A flipped byte makes its file unknown, and the other files stay known."""
    cache = LogProbCache(tmp_path)
    cache.learn({ONE: [-0.1]})
    [damaged] = tmp_path.iterdir()
    LogProbCache(tmp_path).learn({OTHER: [-0.2]})
    damaged.write_bytes(damaged.read_bytes().replace(b"0.1", b"0.7"))

    assert LogProbCache(tmp_path).recall(ONE) is None
    assert LogProbCache(tmp_path).recall(OTHER) == [-0.2]


def trained(store, step, checkpoint, curves="0.1"):
    """The artifact of a training; one that was there is collected first."""
    if store.has(step.fingerprint):
        store.set_aside(step.fingerprint)
    with store.writing(step, {}, {}) as draft:
        (draft.folder / "checkpoint").mkdir()
        (draft.folder / "checkpoint" / "adapter_model.safetensors").write_bytes(checkpoint)
        (draft.folder / "curves.jsonl").write_text(curves)
    return store.open(step.fingerprint)


@pytest.fixture
def recalled(tmp_path, monkeypatch):
    """Carries out a step that asks a model for the log-probabilities of one tree; returns what it remembered of it."""
    told = []

    def ask(loaded, pairs, progress, remembered):
        told.append(remembered.recall(ONE))
        remembered.learn({ONE: [float(len(told))]} if told[-1] is None else {})
        return []

    def carry_out(plan, step_id, checkpoint):
        step, store = plan.step(step_id), Store(tmp_path)
        resident = SimpleNamespace(checkpoint=lambda model, checkpoint: nullcontext())
        pairs = SimpleNamespace(read=lambda name, record: ())
        inputs = {"pairs": pairs} | ({"checkpoint": checkpoint} if checkpoint else {})
        with store.writing(step, {}, {}) as draft:
            log_probabilities.run(Job(step, inputs, draft, lambda: resident, str, lambda done, total: None, tuple))
        store.set_aside(step.fingerprint)
        return told[-1]

    monkeypatch.setattr(log_probabilities, "pair_log_probs", ask)
    return carry_out


def test_other_weights_under_the_same_fingerprint_are_another_model(tmp_path, recalled):
    """A training that is made again may leave other bytes: nothing of the old weights becomes the reference of the new ones."""
    plan, store = plan_of(), Store(tmp_path)
    train, asks = plan.step("train/sft/seed-1"), "prefer/sft/seed-1"

    assert recalled(plan, asks, trained(store, train, b"weights")) is None
    assert recalled(plan, asks, trained(store, train, b"others!")) is None
    assert recalled(plan, asks, trained(store, train, b"others!")) == [2.0]


def test_the_same_weights_are_asked_once(tmp_path, recalled):
    """Steps of any kind and of plans with another beta share what a checkpoint has computed, however often it was made."""
    plan, other, store = plan_of(), plan_of("recipes.dpo.beta=0.3", "recipes.dpo.epochs=2"), Store(tmp_path)
    train = plan.step("train/sft/seed-1")
    references = {step.id for step in other.steps if step.kind == "reference" and step.inputs.get("checkpoint") == train.id}

    assert references
    assert recalled(plan, "prefer/sft/seed-1", trained(store, train, b"weights")) is None
    for step_id in references:
        assert recalled(other, step_id, trained(store, train, b"weights", curves="0.2")) == [1.0]


def test_the_base_model_is_shared_by_all_seeds(recalled):
    """It has no checkpoint: its settings identify it."""
    plan = plan_of()
    asks = [step.id for step in plan.steps if step.kind in ("reference", "prefer") and "checkpoint" not in step.inputs]

    assert len(asks) > 1
    assert [recalled(plan, step_id, None) for step_id in asks] == [None, *[[1.0]] * (len(asks) - 1)]
