"""Who makes what, where no file system has locks: leases as objects, by conditional writes.

A lease is `leases/<name>/<n>`. Whoever makes number n+1 after an abandoned n has it: of several who try, the storage lets
one through. The holder rewrites it while it lives; a lease that nobody has rewritten for a while, by the clock of the machine
that looks (clocks of two machines are never compared), is abandoned. So a lease may be lost by a holder that sleeps or is cut
off, and two may then make the same artifact: that costs time and nothing else, since each upload is whole by itself.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stage1.store.remote import Remote, StoreUnreachable


@dataclass(slots=True)
class _Seen:
    """Somebody else's lease."""

    name: str
    content: bytes
    since: float
    """When this content was first seen."""
    looked: float


class Leases:
    """Leases of one folder of this machine, which has its own locks: it never has two holders of one lease in it."""

    ABANDONED = 60.0
    """Seconds without a sign of its holder after which a lease is free."""
    RENEWED = 15.0
    """Seconds between signs."""
    LOOK_EVERY = 3.0
    """Seconds between looks at a lease that somebody else has: every look is a request."""

    def __init__(self, remote: Remote, owner: str, clock: Callable[[], float]) -> None:
        """`owner` names the folder, and `clock` counts seconds."""
        self._remote, self._owner, self._clock = remote, owner, clock
        self._seen: dict[str, _Seen] = {}

    @contextlib.contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """The lease of that name for the length of the block; False: somebody else has it."""
        lease = self._take(name)
        if lease is None:
            yield False
            return
        over = threading.Event()
        signs = threading.Thread(target=self._renew, args=(lease, over), daemon=True)
        signs.start()
        try:
            yield True
        finally:
            over.set()
            signs.join()
            with contextlib.suppress(StoreUnreachable):  # it is abandoned, then
                self._remote.remove(lease)

    def _take(self, name: str) -> str | None:
        seen = self._seen.get(name)
        if seen and self._clock() - seen.looked < self.LOOK_EVERY:
            return None
        numbers = sorted(int(number) for number in self._remote.names(f"leases/{name}") if number.isdigit())
        older = [f"leases/{name}/{number}" for number in numbers]
        if older and not self._is_abandoned(name, older[-1]):
            return None
        lease, mine = f"leases/{name}/{numbers[-1] + 1 if numbers else 1}", self._sign()
        if not self._remote.create(lease, mine) or not self._is(lease, mine):
            return None
        self._seen.pop(name, None)
        self._remote.remove(*older)
        return lease

    def _is_abandoned(self, name: str, lease: str) -> bool:
        try:
            content = self._remote.read(lease)
        except KeyError:  # given back this moment: whoever asks again gets it
            return False
        if content.partition(b" ")[0] == self._owner.encode():
            return True  # its holder was a process of this folder, whose lock we have now: it is dead
        now, seen = self._clock(), self._seen.get(name)
        if seen and (seen.name, seen.content) == (lease, content):
            seen.looked = now
            return now - seen.since > self.ABANDONED
        self._seen[name] = _Seen(lease, content, now, now)
        return False

    def _renew(self, lease: str, over: threading.Event) -> None:
        while not over.wait(self.RENEWED):
            with contextlib.suppress(StoreUnreachable):  # the next sign may get through
                self._remote.write(lease, self._sign())

    def _sign(self) -> bytes:
        return f"{self._owner} {uuid.uuid4().hex}".encode()

    def _is(self, lease: str, content: bytes) -> bool:
        """Storage without conditional writes lets two through; the last one to write has it."""
        try:
            return self._remote.read(lease) == content
        except KeyError:
            return False
