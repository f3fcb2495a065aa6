"""Several devices compute what one computes: divided by prompt groups, normalised by the whole batch, summed."""

import json
import os
import subprocess
import sys
import time
from itertools import chain

import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from small_data import ADAPTER, demonstrations, examples, recipe
from tiny_models import make_model, open_base, wrap

from models.adapters import trainable
from models.errors import ModelError
from trainers.dpo import DpoModule
from trainers.errors import TrainingDiverged, TrainingError
from trainers.examples import Examples, SftExample, forward_tokens, prepare
from trainers.fit import train
from trainers.launch import Ended, TrainingJob, exception_of, train_on_devices
from trainers.memory_policy import MemoryPolicy
from trainers.recipe import Recipe
from trainers.resume import Keeping
from trainers.sft import SftModule
from trainers.strategy import Peers, divide
from trainers.worker import described

TWO = {"devices": 2, "strategy": "ddp", "device_type": "cpu"}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Processes on few cores are faster with one thread each."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def settings_for(base_folder, objective, adapter, **changes):
    """What one device and several are told alike; 3 epochs with a last batch that has fewer groups."""
    return {
        "recipe": recipe(objective, epochs=3, warmup_ratio=0.2, **changes), "adapter": adapter, "seed": 1,
        "examples": examples(objective, open_base(base_folder)), "checkpoint": None,
    }  # fmt: skip


def damage(path):
    """Flips one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def contents(folder):
    """Every file below a folder, as bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_same_training(one, several, relative):
    """Every point of every curve and every weight, relative to the largest of its kind."""
    first, second = ([json.loads(line) for line in (out / "curves.jsonl").read_text().splitlines()] for out in (one, several))
    assert [(row["step"], row["name"]) for row in first] == [(row["step"], row["name"]) for row in second]
    for name in {row["name"] for row in first}:
        a, b = (torch.tensor([row["value"] for row in rows if row["name"] == name]) for rows in (first, second))
        assert (a - b).abs().max() <= relative * a.abs().max(), name
    (weights,) = (one / "checkpoint").glob("*.safetensors")
    a, b = load_file(weights), load_file(several / "checkpoint" / weights.name)
    assert a.keys() == b.keys()
    assert all((a[name] - b[name]).abs().max() <= 10 * relative * a[name].abs().max() for name in a)
    assert sorted(contents(one)) == sorted(contents(several))
    counts = (
        {name: value for name, value in json.loads((out / "summary.json").read_text()).items() if "loss" not in name}
        for out in (one, several)
    )
    assert next(counts) == next(counts)


@pytest.fixture(scope="module")
def ddp_run(base_folder, tmp_path_factory):
    """DPO with an adapter on two processes, and what it told its loggers."""
    out = tmp_path_factory.mktemp("ddp")
    told = []
    told_settings = settings_for(base_folder, "dpo", ADAPTER)
    train_on_devices(
        {"base": str(base_folder)}, out=out, on_progress=lambda done, total: told.append((done, total)), **TWO, **told_settings
    )
    return out, told, told_settings


def test_ddp_is_one_device_to_float_order(base, ddp_run, tmp_path):
    """Two processes draw the same curves and end with the same adapter as one; progress and summary count whole batches."""
    out, told, told_settings = ddp_run

    summary = train(base, out=tmp_path, **told_settings)

    assert_same_training(tmp_path, out, 1e-4)
    assert told == [(step, summary.steps) for step in range(1, summary.steps + 1)]


def test_fsdp_is_one_device_to_float_order(base, base_folder, tmp_path):
    """With all weights sharded over two processes and trained, tied embeddings among them, the same holds."""
    one, several = tmp_path / "one", tmp_path / "several"
    one.mkdir()
    several.mkdir()
    told = settings_for(base_folder, "sft", None)

    train(base, out=one, **told)
    train_on_devices({"base": str(base_folder)}, out=several, **{**TWO, "strategy": "fsdp"}, **told)

    assert_same_training(one, several, 1e-4)


def test_a_process_that_dies_takes_the_others_down_and_the_rest_resumes(base_folder, ddp_run, tmp_path):
    """kill -9 of one process is said in one line, leaves none behind, and the same call goes on to the same bytes."""
    undisturbed, _, told = ddp_run
    kept, out = tmp_path / "kept", tmp_path / "out"
    kept.mkdir()
    (tmp_path / "killed").mkdir()
    mine = psutil.Process()
    before, victims = set(mine.children()), []

    def kill_the_second(done, total):
        if done == 4 and not victims:
            victims.extend(set(mine.children()) - before)
            next(child for child in victims if child.cmdline()[-1] == "1").kill()
            time.sleep(2)  # the first process is held up by a loss it will never get

    keeping, said = Keeping(kept, tmp_path / "aside", every_steps=2, every_seconds=None), []
    with pytest.raises(TrainingError, match=r"^process 2 of the training's 2 was killed \(SIGKILL\); the others were ended$"):
        train_on_devices(
            {"base": str(base_folder)}, out=tmp_path / "killed", on_progress=kill_the_second, keeping=keeping, **TWO, **told
        )
    assert not any(victim.is_running() and victim.status() != psutil.STATUS_ZOMBIE for victim in victims)

    out.mkdir()
    train_on_devices({"base": str(base_folder)}, out=out, keeping=keeping, warn=said.append, **TWO, **told)

    assert len(said) == 1
    assert "goes on after step" in said[0]
    assert contents(out) == contents(undisturbed)


def test_a_damaged_state_is_set_aside_by_one_process(base_folder, tmp_path):
    """All start anew together: one warning, one folder aside, and the bytes of a training that was never interrupted."""
    told, kept, said = settings_for(base_folder, "sft", None), tmp_path / "kept", []
    for folder in (kept, tmp_path / "alone", tmp_path / "again"):
        folder.mkdir()
    keeping = Keeping(kept, tmp_path / "aside", every_steps=2, every_seconds=None)
    train_on_devices({"base": str(base_folder)}, out=tmp_path / "alone", keeping=keeping, **TWO, **told)
    (state,) = kept.iterdir()
    damage(state / "tensors.safetensors")

    train_on_devices({"base": str(base_folder)}, out=tmp_path / "again", keeping=keeping, warn=said.append, **TWO, **told)

    (aside,) = (tmp_path / "aside").iterdir()
    assert len(said) == 1
    assert said[0].endswith(f"is not what was written: its hash differs; moved to {aside}, training starts anew")
    assert contents(tmp_path / "again") == contents(tmp_path / "alone")


def test_divergence_on_several_devices(base_folder, tmp_path):
    """It is the same error as on one device: step, loss and the ids of the whole batch, saved beside; no process is left."""
    told = settings_for(base_folder, "sft", ADAPTER, learning_rate=1e30)
    before = set(psutil.Process().children())

    with pytest.raises(TrainingDiverged, match=r"diverged at step \d+ .*lower the learning rate") as caught:
        train_on_devices({"base": str(base_folder)}, out=tmp_path, **TWO, **told)

    stored = json.loads((tmp_path / "diverged.json").read_text())
    assert stored["step"] == caught.value.step > 1
    assert stored["ids"] == list(caught.value.ids)
    assert len(stored["ids"]) >= 2  # both processes' examples
    assert not (tmp_path / "checkpoint").exists()
    assert set(psutil.Process().children()) <= before


def test_a_process_ends_with_its_parent(base_folder, tmp_path):
    """When its stdin closes, as it does when its parent is killed, a process ends, even while it waits for the others."""
    job = TrainingJob(
        devices=2, strategy="ddp", device_type="cpu", model={"base": str(base_folder)}, recipe=recipe("sft"), adapter=ADAPTER, seed=1,
        demonstrations=tuple(demonstrations()), pairs=(), reference=(), checkpoint=None, out=tmp_path, token_budget=None, keeping=None,
        meeting_point=tmp_path / "meeting-point",
    )  # fmt: skip
    (tmp_path / "job.json").write_text(job.model_dump_json())
    process = subprocess.Popen(
        [sys.executable, "-m", "trainers.worker", str(tmp_path / "job.json"), "0"],
        stdin=subprocess.PIPE, env=os.environ | {"LOCAL_RANK": "0", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while not job.meeting_point.exists():  # from then on it waits for a second process that never comes
        assert process.poll() is None
        time.sleep(0.1)

    process.stdin.close()

    assert process.wait(30) == 1


def test_what_cannot_work_is_refused_at_once(base_folder, tmp_path, monkeypatch):
    """More devices than there are, and shards of four-bit weights: one line with the way out, before any process starts."""
    told = {
        "recipe": recipe("sft"), "adapter": ADAPTER, "seed": 1, "examples": Examples(demonstrations=demonstrations()),
        "checkpoint": None, "out": tmp_path,
    }  # fmt: skip
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)

    with pytest.raises(TrainingError, match=r"runtime\.devices is 3, but this machine has 2: lower it"):
        train_on_devices({"base": str(base_folder)}, devices=3, strategy="ddp", device_type="cuda", **told)
    with pytest.raises(TrainingError, match="fsdp cannot shard four-bit weights: set it to ddp"):
        train_on_devices({"base": "x", "quantization": "nf4"}, devices=2, strategy="fsdp", device_type="cuda", **told)


@pytest.mark.parametrize(
    "error", [TrainingError("raise max_length"), ModelError("no such model"), TrainingDiverged(3, float("nan"), 1.0, ["a", "b", "c", "d"])]
)  # fmt: skip
def test_an_error_in_a_process_is_the_same_error_here(error):
    """Kind, message and what it carries survive the way to the parent, NaN included; other errors keep their traceback."""
    told = json.loads(json.dumps(described(error)))

    found = exception_of(Ended(1, told, 1, ""), 2)

    assert type(found) is type(error)
    assert str(found) == str(error)
    assert repr(vars(found)) == repr(vars(error))


def test_an_error_that_nobody_foresaw_names_its_process():
    """One line says which process failed and how; the traceback goes along for the log."""
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    told = described(caught.value)

    found = exception_of(Ended(1, told, 1, ""), 2)

    assert str(found) == "process 2 of the training's 2 failed (ZeroDivisionError: division by zero); the others were ended"
    assert "Traceback" in found.details


# --- how a batch is divided, in one process ----------------------------------------------------------------------------


class OneOf(Peers):
    """A process among several that are played one after the other."""

    def __init__(self, rank, size, lockstep):
        self.rank, self.size, self.lockstep = rank, size, lockstep


@pytest.mark.parametrize("lockstep", [False, True], ids=["ddp", "fsdp"])
@pytest.mark.parametrize("size", [2, 3, 7])
@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_shares_of_all_processes_add_up(objective, size, lockstep):
    """Loss, metrics and gradients of any number of processes, also of more than there are groups, are those of one (float64)."""
    base = wrap(make_model(dtype=torch.float64))
    chosen = Recipe(**recipe(objective, micro_batch_size=2))
    batch = prepare(examples(objective, base, train=7, validation=0), base.tokenizer, chosen).train
    kind = SftModule if objective == "sft" else DpoModule
    policy = MemoryPolicy(64, "none", packed=False)

    def summed(peers):
        base.model.zero_grad(set_to_none=True)
        totals, passes = {}, []
        for each in peers:
            module = kind(base, chosen, policy, 1, lambda step, loss: None, peers=each)
            shares = list(module.shares(batch))
            passes.append(len(shares))
            for loss, metrics in shares:
                loss.backward()
                for name, value in {"loss": loss.detach(), **metrics}.items():
                    totals[name] = totals.get(name, 0.0) + value.item()
        return totals, {name: p.grad.clone() for name, p in base.model.named_parameters() if p.grad is not None}, passes

    with trainable(base, ADAPTER, None, 1):
        alone, expected, _ = summed([Peers()])
        together, found, passes = summed([OneOf(rank, size, lockstep) for rank in range(size)])

    assert together == pytest.approx(alone, rel=1e-12)
    assert all((found[name] - expected[name]).abs().max() <= 1e-12 + 1e-10 * expected[name].abs().max() for name in expected)
    assert min(passes) >= 1
    assert not lockstep or len(set(passes)) == 1


@given(groups=st.lists(st.integers(1, 9), min_size=1, max_size=12), parts=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_a_batch_is_divided_by_whole_groups_and_evenly(groups, parts):
    """Everything goes to exactly one part, a group to one alone, and no part is heavier than the lightest by more than a group."""
    from models.prompt_format import Encoded
    from trainers.examples import DpoExample

    batch = tuple(
        DpoExample(f"{group}/{number}", f"{group}", Encoded(prompt, (2,)), Encoded(prompt, (3, number)), 0.0, 0.0)
        for group, size in enumerate(groups)
        for prompt in [(10 + group,) * size]  # a group is a prompt: two of one prompt would be read together
        for number in range(size % 3 + 1)
    )

    divided = divide(batch, parts)

    assert len(divided) == parts
    assert sorted(example.id for example in chain.from_iterable(divided)) == sorted(example.id for example in batch)
    homes = [{example.group for example in part} for part in divided]
    assert sum(map(len, homes)) == len(groups)
    loads = [forward_tokens(part) for part in divided]
    heaviest = max(
        forward_tokens([example for example in batch if example.group == f"{group}"]) for group in range(len(groups))
    )
    assert max(loads) - min(loads) <= heaviest
    assert divide(batch, parts) == divided
    assert not isinstance(batch[0], SftExample)
