"""An interrupted training goes on as if nothing had happened; a state that is not what was written is never gone on from."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from small_data import ADAPTER, dpo_examples, examples, recipe

from models.adapters import attached
from trainers.errors import TrainingError
from trainers.fit import train
from trainers.random_state import random_state, seed_all, set_random_state
from trainers.resume import Keeper, Keeping, State, found_by_all
from trainers.strategy import Peers

DROPOUT = {**ADAPTER, "dropout": 0.2}


class Killed(BaseException):
    """Stands for whatever ends a process in the middle of its work."""


@pytest.fixture(scope="module")
def shared(base_folder):
    """One loaded base model for all draws: training leaves it as it was."""
    import tiny_models

    return tiny_models.open_base(base_folder)


def run(
    base, root, objective="sft", *, name="out", adapter=ADAPTER, every=1, die_after=None, data=None, checkpoint=None, **changes
):
    """A training that keeps its state under `root/kept`; it may be made to die once `die_after` steps are reported."""
    out, kept = root / name, root / "kept"
    out.mkdir(parents=True)
    kept.mkdir(exist_ok=True)
    seen, said = [], []

    def progress(done, total):
        seen.append(done)
        if done == die_after:
            raise Killed

    try:
        summary = train(
            base, recipe=recipe(objective, epochs=2, batch_size=2, warmup_ratio=0.2, weight_decay=0.1, **changes), adapter=adapter, seed=1,
            examples=data or examples(objective, base), checkpoint=checkpoint, out=out, on_progress=progress, warn=said.append,
            keeping=Keeping(kept, root / "aside", every_steps=every, every_seconds=None) if every else None,
        )  # fmt: skip
    except Killed:
        summary = None
    return summary, seen, said


def contents(folder):
    """Every file below a folder, as bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("adapter", [DROPOUT, None], ids=["adapter", "all weights"])
@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_interrupted_anywhere_the_bytes_are_the_same(shared, tmp_path_factory, objective, adapter):
    """Killed after any steps, any number of times, keeping at any interval: checkpoint, curves and summary are byte-identical."""
    alone = tmp_path_factory.mktemp("alone")
    summary, _, _ = run(shared, alone, objective, adapter=adapter, every=None)
    wanted = contents(alone / "out")

    @settings(max_examples=5, deadline=None)
    @given(deaths=st.lists(st.integers(1, summary.steps), min_size=1, max_size=2), every=st.integers(1, summary.steps))
    def check(deaths, every):
        root = tmp_path_factory.mktemp("disturbed")
        for number, die_after in enumerate(deaths):
            run(shared, root, objective, name=f"attempt {number}", adapter=adapter, every=every, die_after=die_after)
            torch.manual_seed(number)  # what happens to be drawn in between is of no effect
            np.random.seed(number)
            random.seed(number)

        run(shared, root, objective, adapter=adapter, every=every)

        assert contents(root / "out") == wanted

    check()


def test_it_goes_on_where_it_was(shared, tmp_path):
    """After a death at step 7 with a state every 3 steps, optimizer steps are done again from step 6 on, not from the start."""
    passes = []
    run(shared, tmp_path, name="killed", every=3, die_after=7)
    handle = shared.model.model.register_forward_pre_hook(lambda module, args: passes.append(module.training))

    summary, seen, _ = run(shared, tmp_path, every=3)

    handle.remove()
    assert seen == list(range(1, summary.steps + 1))  # all are reported
    assert sum(passes) == summary.steps - 6  # a micro-batch a step


@pytest.mark.parametrize("before", [True, False])
def test_an_optimizer_in_one_launch_resumes_too(shared, tmp_path, monkeypatch, before):
    """As on a GPU; also from a state that was kept by an optimizer of the other kind: it stays what this device uses."""
    plain, kinds = torch.optim.AdamW, []

    def of_kind(fused):
        def made(groups, lr, **_):
            kinds.append(plain(groups, lr=lr, fused=fused))
            return kinds[-1]

        monkeypatch.setattr(torch.optim, "AdamW", made)

    of_kind(fused=True)
    run(shared, tmp_path / "alone", every=None)
    of_kind(fused=before)
    run(shared, tmp_path / "disturbed", name="killed", die_after=3)
    of_kind(fused=True)
    run(shared, tmp_path / "disturbed")

    assert [group["fused"] for group in kinds[-1].param_groups] == [True] * len(kinds[-1].param_groups)
    alone, disturbed = (load_file(next((tmp_path / name / "out").rglob("*.safetensors"))) for name in ("alone", "disturbed"))
    apart = torch.stack([(alone[name] - disturbed[name]).norm() / alone[name].norm() for name in alone])
    assert apart.max() <= 1e-3  # a gradient near zero is divided by its own size
    assert not before or contents(tmp_path / "alone" / "out") == contents(tmp_path / "disturbed" / "out")


def test_a_child_of_a_checkpoint_resumes_too(shared, tmp_path):
    """DPO that goes on from an SFT checkpoint takes up its own state, not the parent's."""
    run(shared, tmp_path / "sft", every=None)
    parent = tmp_path / "sft/out/checkpoint"
    with attached(shared, parent):
        data = dpo_examples(shared)
    run(shared, tmp_path / "a", "dpo", data=data, checkpoint=parent, every=None)

    run(shared, tmp_path / "b", "dpo", name="killed", data=data, checkpoint=parent, die_after=3)
    run(shared, tmp_path / "b", "dpo", data=data, checkpoint=parent)

    assert contents(tmp_path / "a/out") == contents(tmp_path / "b/out")


def damage(path):
    """Flips one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["tensors.safetensors", "values.json", "hashes.json"])
@pytest.mark.parametrize("harm", [damage, lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-9])])
def test_a_damaged_state_is_named_and_set_aside(shared, tmp_path, name, harm):
    """A flipped bit, a missing or a cut file: one line says which, it is kept for inspection, and training starts anew."""
    run(shared, tmp_path / "a", every=None)
    run(shared, tmp_path / "b", name="killed", die_after=4)
    (state,) = (tmp_path / "b/kept").iterdir()
    harm(state / name)

    summary, seen, said = run(shared, tmp_path / "b")

    assert len(said) == 1
    assert str(state) in said[0]
    assert "is not what was written" in said[0]
    assert "\n" not in said[0]
    (aside,) = (tmp_path / "b/aside").iterdir()
    assert str(aside) in said[0]
    assert contents(tmp_path / "a/out") == contents(tmp_path / "b/out")
    assert seen[0] == 1
    assert summary is not None


class Told(Peers):
    """A process that is told what the first one says."""

    rank, size = 1, 2

    def __init__(self, said):
        self.said = said

    def first_says(self, answer):
        return self.said


def test_the_first_process_alone_decides_what_is_gone_on_from(tmp_path):
    """Others read the state they are told, or say that they cannot; a damaged one is moved, and warned of, by the first alone."""
    said = []
    first = Keeper(Keeping(tmp_path / "kept", tmp_path / "aside"), "me", warn=said.append)
    second = replace(first, warn=pytest.fail)
    (tmp_path / "kept").mkdir()
    first.save(State(2, {"a": torch.ones(2)}, {}))
    (state,) = (tmp_path / "kept").iterdir()
    whole = contents(state)

    assert found_by_all(second, Told(0)) is None
    assert found_by_all(second, Told(2)).step == 2
    damage(state / "tensors.safetensors")
    assert found_by_all(second, Told(0)) is None
    with pytest.raises(TrainingError, match=r"step-000000002, which another process goes on from, is not what was written"):
        found_by_all(second, Told(2))
    with pytest.raises(TrainingError, match=r"step-000000001, which another process goes on from, is not what was written"):
        found_by_all(second, Told(1))
    assert contents(state).keys() == whole.keys()
    assert not said

    assert found_by_all(first, Peers()) is None
    assert len(said) == 1
    assert not list((tmp_path / "kept").iterdir())


def test_a_state_of_another_training_is_not_gone_on_from(shared, tmp_path):
    """With another learning rate or other examples it is another training, and a kept state says so."""
    run(shared, tmp_path, name="killed", die_after=4)

    _, _, said = run(shared, tmp_path, learning_rate=5e-3)

    assert len(said) == 1
    assert "is of another training" in said[0]


@pytest.mark.parametrize("adapter", [ADAPTER, None], ids=["adapter", "all weights"])
def test_a_state_over_another_parent_is_not_gone_on_from(shared, tmp_path, adapter):
    """A parent that was made again with other bytes makes another training, though names, shapes and examples are the same."""
    for name, rate in (("parent", 1e-2), ("remade", 1.001e-2)):
        run(shared, tmp_path / name, adapter=adapter, every=None, learning_rate=rate)
    parent, remade = (tmp_path / name / "out/checkpoint" for name in ("parent", "remade"))
    run(shared, tmp_path / "a", adapter=adapter, checkpoint=remade, every=None)
    run(shared, tmp_path / "b", adapter=adapter, name="killed", checkpoint=parent, die_after=4)

    _, _, said = run(shared, tmp_path / "b", adapter=adapter, checkpoint=remade)

    assert len(said) == 1
    assert "is of another training: its settings, examples or weights differ" in said[0]
    assert contents(tmp_path / "a/out") == contents(tmp_path / "b/out")


def test_the_newest_state_alone_is_kept(shared, tmp_path):
    """However often it is saved, one state is on disk, and nothing unfinished; after the last step none is written."""
    run(shared, tmp_path, name="killed", die_after=8)

    (state,) = (tmp_path / "kept").iterdir()
    assert state.name == "step-000000007"
    assert {path.suffix for path in state.iterdir()} == {".safetensors", ".json"}


def test_a_save_that_is_interrupted_leaves_the_last_one(tmp_path):
    """What was being written when the process died is passed over, and swept away by the next save."""
    keeper = Keeper(Keeping(tmp_path, tmp_path / "aside"), "me", warn=pytest.fail)
    keeper.save(State(1, {"a": torch.ones(2)}, {}))
    (tmp_path / "unfinished-1-x").mkdir()
    (tmp_path / "unfinished-1-x" / "tensors.safetensors").write_bytes(b"half")

    found = keeper.newest()
    keeper.save(State(2, {"a": torch.ones(2)}, {}))

    assert found.step == 1
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000002"]


def test_a_full_disk_costs_the_state_not_the_training(shared, tmp_path):
    """Where no state can be written, a line says so and the training ends as it should."""
    run(shared, tmp_path / "a", every=None)
    kept = tmp_path / "b/kept"
    kept.mkdir(parents=True)
    kept.chmod(0o500)
    if not _refuses(kept):
        kept.rmdir()
        kept.write_text("a file, where a folder should be")
    out = tmp_path / "b/out"
    out.mkdir()
    said = []

    train(
        shared, recipe=recipe("sft", epochs=2, batch_size=2, warmup_ratio=0.2, weight_decay=0.1), adapter=ADAPTER, seed=1,
        examples=examples("sft", shared), checkpoint=None, out=out, warn=said.append, keeping=Keeping(kept, tmp_path / "aside", every_steps=4),
    )  # fmt: skip

    assert said
    assert all("could not be kept" in line for line in said)
    assert contents(out) == contents(tmp_path / "a/out")


def _refuses(folder):
    try:
        (folder / "probe").mkdir()
    except OSError:
        return True
    (folder / "probe").rmdir()
    return False


def test_saving_is_due_by_steps_or_seconds_and_never_costs_much(tmp_path):
    """Whichever interval has passed; a save that took 10 s is not repeated within 200 s."""
    now = [0.0]
    keeper = Keeper(Keeping(tmp_path, tmp_path, every_steps=5, every_seconds=60), "me", warn=pytest.fail, clock=lambda: now[0])

    assert [keeper.due(step) for step in (4, 5)] == [False, True]
    now[0] = 61
    assert keeper.due(1)
    keeper.saved(1, seconds=10)
    now[0] = 61 + 199
    assert not keeper.due(2)
    now[0] = 61 + 200
    assert keeper.due(2)
    assert not Keeper(Keeping(tmp_path, tmp_path, None, None), "me", warn=pytest.fail).due(10**6)


@given(seed=st.integers(0, 2**40), draws=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_random_state_goes_there_and_back(seed, draws):
    """After any draws, whole or half used up, every generator goes on with the same numbers."""

    def draw():
        return random.random(), random.gauss(0, 1), np.random.normal(), float(np.random.rand()), torch.rand(3).tolist()

    seed_all(seed)
    for _ in range(draws):
        draw()
        random.gauss(0, 1)
    state = random_state(torch.device("cpu"))
    expected = [draw() for _ in range(3)]

    seed_all(seed + 1)
    set_random_state(state, torch.device("cpu"))

    assert [draw() for _ in range(3)] == expected


def test_nothing_in_a_state_is_pickled(shared, tmp_path):
    """Tensors are safetensors and the rest is JSON, all of it readable without running anything."""
    run(shared, tmp_path, name="killed", adapter=None, die_after=3)

    (state,) = (tmp_path / "kept").iterdir()
    assert sorted(path.name for path in state.iterdir()) == ["hashes.json", "tensors.safetensors", "values.json"]
    values = json.loads((state / "values.json").read_text())
    assert values["step"] == 2
    header = (state / "tensors.safetensors").read_bytes()
    assert json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])
