"""`python -m stage1.tiny_base`: build the embedded base model, or measure one that exists."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from datagen.corpus import Mix
from stage1.libraries import tell_libraries
from stage1.tiny_base.settings import Architecture, BuildSettings

DEFAULT_FOLDER = Path("models/tiny_base")
_REPORT_EVERY = 20


def arguments() -> argparse.ArgumentParser:
    """The command line; every size and share of the settings is an option of its own."""
    parser = argparse.ArgumentParser(prog="python -m stage1.tiny_base", description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, help="folder of the model to build (default: %(default)s)")
    parser.add_argument("--measure", type=Path, metavar="DIR", help="build nothing: measure the model in this folder")
    parser.add_argument("--measurements", type=Path, metavar="JSON", help="where the rates go (default: beside the model)")
    parser.add_argument("--token-limit", type=int, default=80, help="new tokens per answer when measuring")
    parser.add_argument("--items", type=int, default=0, metavar="N", help="measure on about N items (default: all)")
    parser.add_argument("--device", help="cpu or cuda (default: cuda where there is one)")
    parser.add_argument("--log", type=Path, metavar="JSONL", help="also write the progress of the training here")
    for part in (BuildSettings, Architecture, Mix):
        group = parser.add_argument_group(part.__name__)
        for field in fields(part):
            if isinstance(field.default, int | float):
                flag = f"--{'mix-' if part is Mix else ''}{field.name.replace('_', '-')}"
                group.add_argument(flag, type=type(field.default), default=field.default, help="(default: %(default)s)")
    return parser


def settings_from(options: argparse.Namespace) -> BuildSettings:
    """The settings that the options describe."""
    given = vars(options)

    def chosen(part: type[Any], prefix: str = "") -> dict[str, Any]:
        return {f.name: given[prefix + f.name] for f in fields(part) if prefix + f.name in given}

    settings = BuildSettings(architecture=Architecture(**chosen(Architecture)), mix=Mix(**chosen(Mix, "mix_")))
    return replace(settings, **chosen(BuildSettings))


def progress_printer(log: Path | None) -> Callable[[Any], None]:
    """Prints a line now and then, and logs every step where a file is given."""
    file = log.open("w", encoding="utf-8") if log else None

    def show(progress: Any) -> None:
        if file:
            print(json.dumps(vars(progress)), file=file, flush=True)
        if progress.step % _REPORT_EVERY == 0 or progress.step in {1, progress.steps}:
            left = (progress.steps - progress.step) * progress.tokens / progress.step / progress.tokens_per_second
            print(
                f"step {progress.step:>5}/{progress.steps}  loss {progress.loss:.3f}  lr {progress.learning_rate:.2e}  "
                f"{progress.tokens / 1e6:6.2f}M tokens  {progress.tokens_per_second:8.0f} tokens/s  {left / 60:5.1f} min left",
                flush=True,
            )

    return show


def table(report: dict[str, Any]) -> str:
    """The measured rates, one line a rate, one column a prompt style."""
    lines = [f"{'':34}{'few-shot':>10}{'zero-shot':>10}"]
    for name, few in report["few_shot"].items():
        zero = report["zero_shot"][name]
        if isinstance(few, dict):
            lines += [f"  {name}: {kind:<12}".ljust(34) + f"{few[kind]:>10}{zero[kind]:>10}" for kind in few]
        elif name != "samples":
            lines.append(f"{name:<34}{few!s:>10}{zero!s:>10}")
    for style in ("few_shot", "zero_shot"):
        lines += [f"\n--- {style}: {s['instruction']!r}\n{s['response']!r}" for s in report[style]["samples"]]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Builds (unless `--measure` names a folder), measures, writes the rates and the model card. Returns the exit status."""
    options = arguments().parse_args(argv)
    if options.measure and not (options.measure / "config.json").is_file():
        print(f"error: {options.measure} holds no model (no config.json); build one with --out", file=sys.stderr)
        return 2
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before CUDA starts: makes its matrix products repeatable
    import torch

    from stage1.tiny_base.build import build
    from stage1.tiny_base.card import write_card
    from stage1.tiny_base.measure import measure

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # costly, for finding bugs
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    folder: Path = options.measure or options.out
    settings = settings_from(options)
    if not options.measure:
        build(settings, folder, device, progress_printer(options.log))
    report = measure(folder, device, options.token_limit, options.items)
    print(table(report))
    rates_file = options.measurements or folder / "measurements.json"
    rates_file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if not options.measure:
        write_card(folder, settings, report)
    return 0


if __name__ == "__main__":
    tell_libraries()
    raise SystemExit(main())
