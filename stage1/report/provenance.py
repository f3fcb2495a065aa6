"""Where everything comes from: steps with their hashes, versions, settings; and what a paper would say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stage1.planned_claims import KINDS, RECORDED
from stage1.report.data import ReportData, brought_in
from stage1.report.words import harmless

_ESCAPED = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_KEYS = {
    "wilson": "wilson1927",
    "cohen": "cohen1960",
    "holm": "holm1979",
    "bh": "benjamini1995",
    "dpo": "rafailov2023",
    "lora": "hu2022",
}
"""What was used -> its entry in `references.bib`."""
_REFERENCES = Path(__file__).parent / "templates" / "references.bib"


def provenance(data: ReportData) -> dict[str, Any]:
    """Fingerprints, hashes, versions and settings."""
    return {
        "heading": f"Every result comes from {len(data.plan.steps)} recorded steps",
        "plan": data.plan.fingerprint,
        "spec": data.plan.spec_fingerprint,
        "planned": _planned(data),
        "steps": [
            {
                "id": step.id,
                "version": step.version,
                "fingerprint": step.fingerprint,
                "seconds": data.manifests[step.id]["provenance"].get("seconds"),
                "started": data.manifests[step.id]["provenance"].get("started"),
                "files": {name: about["sha256"] for name, about in data.manifests[step.id].get("files", {}).items()},
            }
            for step in data.plan.steps
        ],
        "versions": _versions(data.manifests),
        "settings": data.plan.spec,
    }


def _planned(data: ReportData) -> str:
    late = [claim.claim for claim in data.analysis.claims if not claim.planned]
    fixed = "Claims, endpoints, tests and corrections are part of the plan's fingerprint"
    if late:
        return f"{fixed}; made after the answers of their arms, and so exploratory: {', '.join(late)}."
    answers = [made["provenance"] for step, made in data.manifests.items() if data.plan.step(step).kind in KINDS]
    if outside := brought_in(data.plan):
        arms = ", ".join(outside)
        return f"{fixed}. Whether they were there before the answers of {arms}, made elsewhere, cannot be known here."
    if not all(RECORDED in made for made in answers):
        return f"{fixed}; some answers were made before it was recorded which claims there were."
    return f"{fixed}, and every claim was there before the answers that decide it."


def _versions(manifests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines: dict[str, None] = {}
    for manifest in manifests.values():
        made = manifest["provenance"]
        libraries = ", ".join(f"{name} {version}" for name, version in made.get("versions", {}).items())
        host = f"{made.get('platform')}, Python {made.get('python')}, {made.get('cpus')} CPUs"
        lines[f"{host}, commit {made.get('commit')}: {libraries}"] = None
    return list(lines)


def methods(data: ReportData) -> dict[str, Any]:
    """Two paragraphs for a paper, and the entries to cite."""
    return {
        "heading": "Methods, ready for a paper",
        "training": _training_methods(data),
        "statistics": data.analysis.methods,
        "bibtex": _bibtex(data),
    }


def _training_methods(data: ReportData) -> str:
    spec = data.plan.spec
    model, drawn, decode = spec["model"], spec["data"]["instructions"], spec["evaluation"]["decode"]
    source = "the built-in bank" if drawn["source"] == "bank" else drawn["source"]
    greedy = "greedily" if not decode["temperature"] else f"at temperature {decode['temperature']:g}"
    outside, criteria = brought_in(data.plan), len([*spec["evaluation"]["criteria"]])
    own = [
        f"The base model was {model['base']}{_revision(model)} ({_weights(model)}).",
        "Instructions were presented as 'Instruction: ... Response:' without a chat template, prompt and response tokenized "
        "apart; an answer ends with the marker END.",
    ]
    seeds = len(data.analysis.seeds)
    answered = f"Held-out instructions were answered {greedy}, with at most {decode['max_new_tokens']} tokens"
    told = [
        *(own if len(outside) < len(data.analysis.arms) else []),
        f"{drawn['train']} training and {drawn['heldout']} held-out instructions came from {source}, seed {drawn['seed']}.",
        *(_recipe(name, recipe) for name, recipe in sorted(_used(spec).items())),
        *([f"Every trained arm was trained with {seeds} seed{'' if seeds == 1 else 's'}."] if seeds else []),
        *([f"{answered}."] if len(outside) < len(data.analysis.arms) else []),
        *(f"The answers of {arm} were made elsewhere and read from {file}." for arm, file in outside.items()),
        f"Answers were scored by {criteria} deterministic criteria.",
    ]
    return " ".join(told)


def _revision(model: Mapping[str, Any]) -> str:
    return f" at revision {model['revision']}" if model.get("revision") else ""


def _weights(model: Mapping[str, Any]) -> str:
    stored = model["dtype"] if model["quantization"] == "none" else f"{model['dtype']}, {model['quantization']} quantization"
    adapter = model.get("adapter")
    if not adapter:
        return f"{stored}, all weights trained"
    return f"{stored}, LoRA adapters of rank {adapter['rank']}, alpha {adapter['alpha']}, dropout {adapter['dropout']:g}"


def _used(spec: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    trains = [arm.get("train") for arm in spec["arms"].values()]
    names = {train["use"] if isinstance(train, Mapping) else train for train in trains if train}
    return {name: recipe for name, recipe in spec["recipes"].items() if name in names}


def _recipe(name: str, recipe: Mapping[str, Any]) -> str:
    epochs = f"{recipe['epochs']:g} epoch{'' if recipe['epochs'] == 1 else 's'}"
    shared = f"{epochs}, learning rate {recipe['learning_rate']:g}, batches of {recipe['batch_size']}"
    if recipe["objective"] == "sft":
        return f"Recipe {name}: supervised fine-tuning, {shared}, loss on the {recipe.get('loss_on', 'response')} tokens."
    beta = f", beta {recipe['beta']:g}" if "beta" in recipe else ""
    return f"Recipe {name}: {str(recipe['objective']).upper()} on preference pairs, {shared}{beta}."


def _bibtex(data: ReportData) -> str:
    spec, correction = data.plan.spec, data.plan.spec["analysis"]["correction"]
    dates = sorted(str(made["provenance"].get("started") or "") for made in data.manifests.values())
    year = dates[-1][:4] if dates and dates[-1][:4].isdigit() else ""
    entry = (
        f"@misc{{stage1-{data.plan.fingerprint[:12]}, title={{Experiment {_latex(data.plan.experiment)}: "
        f"{_latex(verdicts_in_words(data))}}}, {f'year={{{year}}}, ' if year else ''}"
        f"note={{stage1 report; plan {data.plan.fingerprint}, spec {data.plan.spec_fingerprint}}}}}"
    )
    recipes = _used(spec).values()
    cited = ["wilson", "cohen"]
    cited += [name for name, used in (("holm", correction["primary"]), ("bh", correction["secondary"])) if used == name]
    cited += ["dpo"] if any(recipe["objective"] == "dpo" for recipe in recipes) else []
    cited += ["lora"] if spec["model"].get("adapter") and recipes else []
    known = {
        entry.partition("{")[2].partition(",")[0]: entry
        for entry in _REFERENCES.read_text(encoding="utf-8").strip().split("\n\n")
    }
    return "\n\n".join([entry, *(known[_KEYS[name]] for name in cited)])


def verdicts_in_words(data: ReportData) -> str:
    """The verdicts in the order of the claims."""
    return "; ".join(f"{claim.claim} {claim.verdict}" for claim in data.analysis.claims) or "no claims"


def _latex(text: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in harmless(text))
