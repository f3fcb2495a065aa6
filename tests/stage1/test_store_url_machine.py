"""Any order of work, damage, removal and broken uploads by several machines: nobody ever reads wrong bytes, all can go on."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from toy import make_plan

from stage1.attempt import BadInput, Found, Made, attempt
from stage1.runner import set_aside_if_damaged
from stage1.store import DamagedArtifact, Store, StoreUnreachable
from stage1.store.remote import Remote
from stage1.store.shared import SharedStore

PLAN = make_plan({"one": [], "two": ["one"]})
MACHINES = st.sampled_from("abc")
STEPS = st.sampled_from(PLAN.steps)


class Breaking(Remote):
    """A line that breaks after so many files, when told to."""

    left: int | None = None

    def send(self, files):
        for name, path in files.items():
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    raise StoreUnreachable("the line is cut")
            super().send({name: path})


class Worker:
    """Makes what its inputs say."""

    def work(self, step, inputs, draft):
        draft.write_json("value.json", [step.id, *(artifact.read_json("value.json") for artifact in inputs.values())])
        (draft.folder / "inner").mkdir()
        (draft.folder / "inner" / "more.txt").write_text(step.id * 50)


class Machines(RuleBasedStateMachine):
    """Three machines and a URL."""

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.url = f"memory://{uuid.uuid4().hex}"
        self.stores = {name: SharedStore(self.root / name, self.url) for name in "abc"}
        for store in self.stores.values():
            store.remote = Breaking(self.url)
        self.remote = Remote(self.url)
        self.right = {"one": ["one"], "two": ["two", ["one"]]}

    def teardown(self):
        shutil.rmtree(self.root)

    @rule(name=MACHINES, step=STEPS, cut=st.none() | st.integers(0, 3))
    def work(self, name, step, cut):
        """A machine works on a step as the runner lets it: it repairs what it is told of, and goes on. Sometimes a line breaks."""
        store = self.stores[name]
        store.remote.left = cut
        for _ in range(6):
            result = attempt(step, PLAN, store, Worker(), lambda step: None)
            if not isinstance(result, BadInput):
                break
            store.remote.left = None
            source = PLAN.step(result.source_id)
            set_aside_if_damaged(store, source.fingerprint)
            attempt(source, PLAN, store, Worker(), lambda step: None)
        store.remote.left = None
        assert isinstance(result, Made | Found) or cut is not None
        if isinstance(result, Made):
            self.read(name, step)

    @rule(name=MACHINES, step=STEPS)
    def read(self, name, step):
        """What is read is right, or is not there, or is found out."""
        try:
            artifact = self.stores[name].open(step.fingerprint)
        except (KeyError, DamagedArtifact):
            return
        assert artifact.read_json("value.json") == self.right[step.id]
        assert (artifact.folder / "inner" / "more.txt").read_text() == step.id * 50

    @rule(step=STEPS, which=st.integers(0, 2), remove=st.booleans())
    def damage_there(self, step, which, remove):
        """An object at the URL is changed or removed."""
        names = [f"files/{step.fingerprint}/{name}" for name in self.remote.names(f"files/{step.fingerprint}")]
        names += [f"manifests/{step.fingerprint}.json"] * self.remote.has(f"manifests/{step.fingerprint}.json")
        if which < len(names):
            content = self.remote.read(names[which])
            self.remote.remove(names[which]) if remove else self.remote.write(names[which], content[:-2] + b"!\n")

    @rule(
        name=MACHINES, step=STEPS, file=st.sampled_from(["value.json", "manifest.json", "inner/more.txt"]), remove=st.booleans()
    )
    def damage_here(self, name, step, file, remove):
        """A file in a cache is changed or removed."""
        path = self.root / name / "artifacts" / step.fingerprint / file
        if path.exists():
            path.unlink() if remove else path.write_bytes(b"!" + path.read_bytes()[1:])

    @rule(name=MACHINES)
    def lose_the_cache(self, name):
        """A machine is replaced by a new one."""
        shutil.rmtree(self.root / name, ignore_errors=True)
        self.stores[name] = SharedStore(self.root / name, self.url)
        self.stores[name].remote = Breaking(self.url)

    @rule(name=MACHINES, step=STEPS)
    def collect(self, name, step):
        """What is removed at the URL may still be in caches."""
        self.stores[name].remove(step.fingerprint)


Machines.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_machines = Machines.TestCase


def test_the_toy_is_right(tmp_path: Path) -> None:
    """What the machines are held against is what a folder gives."""
    store = Store(tmp_path)
    for step in PLAN.steps:
        attempt(step, PLAN, store, Worker(), lambda step: None)

    assert store.open(PLAN.steps[1].fingerprint).read_json("value.json") == ["two", ["one"]]
