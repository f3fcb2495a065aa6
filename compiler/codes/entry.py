"""One diagnostic code, explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent, indent


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, with a spec that triggers it and one that is right."""

    code: str
    title: str
    meaning: str
    wrong: str
    """A spec that triggers it; empty where none can."""
    right: str
    flags: tuple[str, ...] = ()
    """`--set` flags that the wrong spec is compiled with."""
    right_flags: tuple[str, ...] = ()
    """`--set` flags that the right spec is compiled with."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files that the specs refer to: name -> text."""

    def explained(self) -> str:
        """The whole explanation, as `stage1 explain` prints it."""
        parts = [f"{self.code}: {self.title}", dedent(self.meaning).strip()]
        parts += [f"{name}:\n{_shown(text)}" for name, text in self.files.items()]
        if self.wrong:
            parts += [_example("Wrong", self.wrong, self.flags), _example("Right", self.right, self.right_flags)]
        return "\n\n".join(parts)


def _example(verdict: str, text: str, flags: tuple[str, ...]) -> str:
    given = "".join(f" --set {flag}" for flag in flags)
    return f"{verdict}{', with' + given if given else ''}:\n{_shown(text)}"


def _shown(text: str) -> str:
    return indent(dedent(text).strip("\n"), "    ")
