"""A trained checkpoint as a logged model: safetensors, a signature, a model card; no code, no pickle. It can be registered."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compiler.plan import ArmSteps, Plan
from stage1.store import Artifact

_LARGEST = 2 * 2**30  # bytes; full weights beyond this stay in the store, and the card says where


def log_adapter(client: Any, experiment: str, run_id: str, steps: ArmSteps, plan: Plan, trained: Artifact, card: str) -> None:
    """Log the checkpoint of an arm as the output of its run, unless an earlier call did."""
    from mlflow.entities import LoggedModelOutput

    if any(_is_ready(client, output.model_id) for output in client.get_run(run_id).outputs.model_outputs):
        return
    tags = {"arm": steps.arm, "seed": str(steps.seed), "stage1.train": trained.manifest["fingerprint"]}
    params = {name: str(trained.manifest["settings"]["model"][name]) for name in ("base", "revision", "quantization", "dtype")}
    model = client.create_logged_model(
        experiment, name=_name(plan, steps), source_run_id=run_id, tags=tags, params=params, model_type="adapter"
    )
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    checkpoint = trained.folder / "checkpoint"
    if sum(file.stat().st_size for file in checkpoint.rglob("*") if file.is_file()) <= _LARGEST:
        client.log_model_artifacts(model.model_id, str(checkpoint))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "README.md").write_text(card, encoding="utf-8")
        _description(run_id, model, params, trained).save(str(Path(folder) / "MLmodel"))
        client.log_model_artifacts(model.model_id, folder)
    client.finalize_logged_model(model.model_id, "READY")


def _is_ready(client: Any, model_id: str) -> bool:
    return str(client.get_logged_model(model_id).status).endswith("READY")


def _name(plan: Plan, steps: ArmSteps) -> str:
    return f"{plan.experiment}-{steps.arm}-seed-{steps.seed}"


def _description(run_id: str, model: Any, params: Mapping[str, str], trained: Artifact) -> Any:
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    flavor = {"format": "safetensors", "library": "peft", **params}
    asked, given = Schema([ColSpec("string", "instruction")]), Schema([ColSpec("string", "response")])
    return Model(
        run_id=run_id,
        artifact_path=model.artifact_location,
        flavors={"stage1": flavor},
        signature=ModelSignature(inputs=asked, outputs=given),
        metadata={"stage1.train": trained.manifest["fingerprint"]},
        model_id=model.model_id,
        model_uuid=model.model_id,
    )


def model_card(plan: Plan, steps: ArmSteps, trained: Artifact, metrics: Mapping[str, float], data: Mapping[str, str]) -> str:
    """A card in the form that model hubs read: what it is, how it was made, how it did, how to load it."""
    settings: Mapping[str, Any] = trained.manifest["settings"]
    model, recipe = settings["model"], settings["recipe"]
    parent = plan.step(steps.train).inputs.get("checkpoint") if steps.train else None
    origin = f"the checkpoint of `{parent}`" if parent else "the base model"
    lines = [
        "---", f"base_model: {model['base']}", "library_name: peft", f"tags: [stage1, {recipe['objective']}]", "---",
        f"# {steps.arm}, seed {steps.seed}, of the experiment {plan.experiment}", "",
        f"Trained by {recipe['objective']} from {origin} on `{model['base']}` (revision {model['revision']},"
        f" quantization {model['quantization']}).", "",
        "Prompts are `Instruction: {instruction}` and, on the next line, `Response:`; answers end with a line `END`.", "",
        "## How it was made", "", f"- recipe: {', '.join(f'{name} {value}' for name, value in recipe.items())}",
        *(f"- {name}: sha256 {digest}..." for name, digest in data.items()),
        f"- plan {plan.fingerprint}, training step {trained.manifest['fingerprint']}", "",
        "## How it did on the held-out items", "", "| criterion | rate | 95% interval |", "|---|---|---|",
    ]  # fmt: skip
    for name, rate in metrics.items():
        if name.startswith("eval/"):
            end = name.removeprefix("eval/")
            lines.append(f"| {end} | {rate:.3f} | {metrics[f'eval-low/{end}']:.3f} to {metrics[f'eval-high/{end}']:.3f} |")
    lines += ["", "One arm and one training seed: what the experiment concludes is in its report, not here.", ""]
    return "\n".join(lines)
