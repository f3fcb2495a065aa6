"""The command line: words in, exit codes out. Each verb's work is a function of `stage1.commands`."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from stage1.libraries import tell_libraries
from stage1.stdout import OutputLost, told, watched

EXIT_SPEC_ERRORS, EXIT_USAGE, EXIT_STEP_FAILED, EXIT_NO_GO, EXIT_INTERRUPTED = 1, 2, 3, 4, 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Spec = Annotated[Path, typer.Argument(metavar="SPEC", help="The experiment, a YAML file.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="K=V", help="Override a setting, e.g. --set recipes.dpo.beta=0.3; repeatable.", show_default=False
    ),
]
StoreRoot = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="DIR|URL",
        help="Where artifacts are kept: a folder, or an fsspec URL such as s3://bucket/prefix, used through a folder of this "
        "machine (STAGE1_CACHE, else runs).",
        envvar="STAGE1_STORE",
    ),
]


class PlanFormat(StrEnum):
    """How `plan` prints."""

    text = "text"
    json = "json"


class ReportFormat(StrEnum):
    """How `report` prints."""

    html = "html"
    md = "md"
    json = "json"
    csv = "csv"


class Executor(StrEnum):
    """Who carries out the steps."""

    local = "local"
    ray = "ray"


class LogFormat(StrEnum):
    """How `run` tells what happens."""

    text = "text"
    json = "json"


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"stage1 {version('stage1')}")
        except PackageNotFoundError:
            print("stage1, not installed: the code is read from its checkout")
        raise typer.Exit


@app.callback()
def stage1(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Compile, run and judge experiments in LLM post-training."""


@app.command()
def plan(
    spec: Spec,
    overrides: Overrides = None,
    format: Annotated[PlanFormat, typer.Option(help="With json, stdout is one JSON document.")] = PlanFormat.text,
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Also write the plan to this file.", show_default=False)
    ] = None,
    require_go: Annotated[bool, typer.Option("--require-go", help="Exit 4 when the method check says no-go.")] = False,
    strengthen: Annotated[
        Path | None,
        typer.Option(metavar="OUT.yaml", help="Also write the spec with what its findings ask for.", show_default=False),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Also estimate time and memory on this device, e.g. h200.", show_default=False),
    ] = None,
    price: Annotated[
        float | None, typer.Option(metavar="PER_HOUR", min=0, help="Price of an hour on the device.", show_default=False)
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Leave nothing out: every step, contrast and finding.")] = False,
    store: StoreRoot = "runs",
) -> None:
    """Check a spec and show what running it would do. Needs no GPU and loads no model."""
    from stage1.commands.plan import show_plan
    from stage1.store.place import unusable

    if price is not None and device is None:
        raise typer.BadParameter("it is of an hour on a device; name that, too, such as --device h200", param_hint="--price")
    root, url = _place(store)
    if wrong := unusable(root, to_write=True):
        print(f"note: nothing can be run with this --store: {wrong}", file=sys.stderr)
    raise typer.Exit(
        show_plan(
            spec,
            overrides or [],
            as_json=format == "json",
            out=out,
            require_go=require_go,
            store_root=root,
            url=url,
            strengthened=strengthen,
            device=device,
            price=price,
            verbose=verbose,
        )
    )


@app.command()
def run(
    spec: Spec,
    overrides: Overrides = None,
    executor: Annotated[Executor, typer.Option(help="Who carries out the steps.")] = Executor.local,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ARM", help="Only bring this arm to its scores; repeatable.", show_default=False)
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Begin nothing more after the first failure.")] = False,
    log_format: Annotated[LogFormat, typer.Option(help="With json, stderr is one JSON object a line.")] = LogFormat.text,
    address: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="With --executor ray: the cluster, e.g. ray://host:10001.", show_default=False),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            metavar="N",
            help="Processes that carry out steps at once on this machine, spread over its GPUs; "
            "by default as many as several GPUs have room for, else this process alone.",
            show_default=False,
        ),
    ] = None,
    store: StoreRoot = "runs",
) -> None:
    """Carry out a spec: make what is missing, reuse what is there, write the report."""
    from stage1.commands.run import RunOptions, run_spec

    if executor is Executor.ray and workers is not None:
        raise typer.BadParameter("it is for --executor local; a Ray cluster has its own size", param_hint="--workers")
    if executor is Executor.local and address is not None:
        raise typer.BadParameter("it is for --executor ray", param_hint="--address")
    if executor is Executor.ray and find_spec("ray") is None:
        raise _refused("--executor ray: ray is not installed; install it with `uv sync --extra ray`")
    root, url = _place(store, to_write=True)
    options = RunOptions(root, only or (), fail_fast, log_format.value, executor.value, address, workers, url)
    raise typer.Exit(run_spec(spec, overrides or [], options))


@app.command()
def report(
    spec: Spec,
    overrides: Overrides = None,
    format: Annotated[
        ReportFormat, typer.Option(help="The kind of document; csv: a sheet of all answers, to be labelled by a person.")
    ] = ReportFormat.html,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="LABELS.csv", help="A person's labels, to compare the scorer with.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Where to write it (default: html into the store, others to stdout).", show_default=False
        ),
    ] = None,
    store: StoreRoot = "runs",
) -> None:
    """Write the report of a finished run."""
    from stage1.commands.report import write_report

    root, url = _place(store)
    raise typer.Exit(write_report(spec, overrides or [], kind=format.value, out=out, store_root=root, labels=labels, url=url))


@app.command()
def score(
    answers: Annotated[
        Path, typer.Argument(metavar="IN.jsonl", help="Answers to judge, one JSON object a line.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(metavar="OUT.jsonl", help="Where the judgements go, a line for each answer.", show_default=False)
    ],
) -> None:
    """Judge answers made anywhere by the nine criteria.

    A line of IN.jsonl, whose `kind` is completion, qa, generation or response:

    \b
    {"id": 1, "kind": "qa", "instruction": "What is 2 + 2?", "response": "4", "hit_token_limit": false}

    A line may also have "answers": ["4", "four"] (any of them is right), and a "constraint" such as
    {"type": "words_max", "n": 20}. A line of OUT.jsonl is {"id": 1, "criteria": {...}}, true, false or null for each criterion.
    """
    from stage1.commands.score import score_file

    raise typer.Exit(score_file(answers, out))


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A diagnostic's code, such as S104.", show_default=False)],
) -> None:
    """Say what a diagnostic means, with an example that triggers it and one that is right."""
    from stage1.commands.explain import explain_code

    raise typer.Exit(explain_code(code))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    from stage1.commands.explain import print_schema

    raise typer.Exit(print_schema())


class TextOrJson(StrEnum):
    """How `diff` prints."""

    text = "text"
    json = "json"


@app.command()
def diff(
    first: Annotated[Path, typer.Argument(metavar="A", help="A spec, a plan, or the folder of a run.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another.", show_default=False)],
    format: Annotated[TextOrJson, typer.Option(help="With json, stdout is one JSON document.")] = TextOrJson.text,
    store: StoreRoot = "runs",
) -> None:
    """Show what differs between two specs, plans or runs, by arm and step."""
    from stage1.commands.diff import show_difference

    root, url = _place(store)
    raise typer.Exit(show_difference(first, second, as_json=format == "json", store_root=root, url=url))


@app.command()
def gc(
    specs: Annotated[Path, typer.Option(metavar="DIR", help="The folder whose specs need what is kept.")] = Path("specs"),
    delete: Annotated[bool, typer.Option("--delete", help="Remove it; without this nothing is removed.")] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXPERIMENT",
            help="At a URL: keep nothing for last runs of this experiment from other folders; repeatable.",
            show_default=False,
        ),
    ] = None,
    store: StoreRoot = "runs",
) -> None:
    """Show, or remove, what no spec in a folder needs."""
    from stage1.commands.gc import collect

    root, url = _place(store, to_write=delete)
    if forget and url is None:
        raise typer.BadParameter("it is for a store at a URL; in a folder the specs alone decide", param_hint="--forget")
    raise typer.Exit(collect(specs, root, delete=delete, url=url, forget=forget or ()))


@app.command()
def doctor(
    verify: Annotated[bool, typer.Option("--verify", help="Hash every file in the store.")] = False,
    store: StoreRoot = "runs",
) -> None:
    """Say whether this machine is fit to run: device, memory, disk, store, versions, hub, tracking."""
    from stage1.commands.doctor import diagnose
    from stage1.store.place import folder_and_url
    from stage1.tracking.place import tracking_uri

    root, url = folder_and_url(store)
    raise typer.Exit(diagnose(root, tracking_uri(None), verify=verify, url=url))


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of the local server.")] = 5000,
    store: StoreRoot = "runs",
) -> None:
    """Open MLflow's pages at the comparison of the arms."""
    from stage1.commands.ui import open_ui

    raise typer.Exit(open_ui(_place(store)[0], port))


def _place(store: str, *, to_write: bool = False) -> tuple[Path, str | None]:
    """The folder to work in, and the URL at which artifacts are shared, if `--store` names one."""
    from stage1.store.place import folder_and_url, unusable

    root, url = folder_and_url(store)
    if wrong := unusable(root, to_write=to_write):
        raise _refused(f"{'STAGE1_CACHE' if url else '--store'}: {wrong}")
    return root, url


def _refused(why: str) -> typer.Exit:
    """Wrong usage, in one line."""
    print(f"error: {why}", file=sys.stderr)
    return typer.Exit(EXIT_USAGE)


def main() -> None:
    """Entry point. Ends every way of ending with one clear line and the right exit code."""
    tell_libraries()
    sys.stdout = watched(sys.stdout)
    try:
        code = _carried_out()
        sys.stdout.flush()
    except OutputLost as lost:
        code = told(lost)
    except KeyboardInterrupt:
        code = _interrupted()
    except OSError as problem:
        from stage1.store import StoreUnreachable

        if not isinstance(problem, StoreUnreachable):
            raise
        print(f"error: {problem}", file=sys.stderr)
        code = EXIT_USAGE
    if "torch" in sys.modules:
        _leave(code)
    sys.exit(code)


def _carried_out() -> int:
    try:
        app()
    except SystemExit as ending:
        made_of = ending.__context__
        if made_of is not None and isinstance(made_of.__cause__, KeyboardInterrupt):  # by Typer, without a word
            return _interrupted()
        return ending.code if isinstance(ending.code, int) else EXIT_SPEC_ERRORS if ending.code else 0
    return 0


def _interrupted() -> int:
    print("interrupted; what was complete is kept, the same command goes on from there", file=sys.stderr)
    return EXIT_INTERRUPTED


def _leave(code: int) -> None:
    """End without taking PyTorch apart, module by module, which takes seconds; what was registered for the end is done."""
    atexit._run_exitfuncs()
    with contextlib.suppress(OutputLost, OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
