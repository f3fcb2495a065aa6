"""Training that cannot be carried out as written, or that was written for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.checks.subject import Subject
from compiler.diagnostics import Diagnostic, did_you_mean, error, quoted, suggestion, warning
from compiler.language.arms import TrainOverride
from compiler.language.data import ORIGINAL_MIX, Mix, shares_of
from compiler.language.lookup import keys_of, title_of
from compiler.language.recipes import DpoRecipe, SftRecipe
from compiler.resolve import NOT_SETTINGS, ResolvedArm, recipe_name
from compiler.source.tree import Path


def check_overrides(subject: Subject) -> Iterator[Diagnostic]:
    """What an arm changes in its recipe is a setting of that recipe."""
    for name, arm in subject.arms.items():
        override = subject.spec.arms[name].train
        if not isinstance(override, TrainOverride) or arm.recipe is None:
            continue
        part = type(arm.recipe)
        for key in sorted(override.model_fields_set - NOT_SETTINGS - set(part.model_fields)):
            yield error(
                "S104",
                subject.key("arms", name, "train", key),
                f"unknown key {quoted(key)} in `arms.{name}.train`",
                label=f"not a field of {title_of(part)}",
                help=suggestion(key, keys_of(part), "keys"),
                replacement=did_you_mean(key, keys_of(part)),
            )


def check_chosen(subject: Subject) -> Iterator[Diagnostic]:
    """Where chosen answers are needed, some arm writes them."""
    for name, arm in subject.arms.items():
        if arm.preferences.chosen.from_ is not None or not arm.needs_chosen:
            continue
        if subject.draft.is_whole("data", "preferences") and subject.draft.is_whole("arms", name):
            yield error(
                "S210",
                subject.key("arms", name),
                f"arm {quoted(name)} needs chosen answers, and no arm is named that writes them",
                label="trained on chosen answers",
                help="set `data.preferences.chosen.from` to an arm, such as one trained by SFT",
            )


def check_matches(subject: Subject) -> Iterator[Diagnostic]:
    """An arm whose tokens are matched is trained."""
    for name, arm in subject.arms.items():
        matched = subject.arms.get(arm.match) if arm.match is not None else None
        if matched is not None and matched.recipe is None and subject.draft.is_whole("arms", matched.name):
            yield error(
                "S211",
                subject.value("arms", name, "train", "match", "tokens"),
                f"arm {quoted(matched.name)} has no training whose tokens could be matched",
                label="not trained",
                help="name an arm with a `train`",
            )


def check_batches(subject: Subject) -> Iterator[Diagnostic]:
    """A micro-batch is a part of a batch."""
    for path, recipe in _recipes(subject):
        written = next((key for key in ("micro_batch_size", "batch_size") if subject.written(*path, key)), None)
        if written is not None and recipe.micro_batch_size is not None and recipe.micro_batch_size > recipe.batch_size:
            message = f"a micro-batch of {recipe.micro_batch_size} is larger than the batch of {recipe.batch_size}"
            way_out = "leave `micro_batch_size` out, or raise `batch_size`"
            yield error("S212", subject.value(*path, written), message, label="larger than a batch", help=way_out)


def check_losses(subject: Subject) -> Iterator[Diagnostic]:
    """The variants of a preference loss go together: one that is written would otherwise have no effect, or no definition."""
    for path, recipe in _recipes(subject):
        if not isinstance(recipe, DpoRecipe):
            continue
        for one, other, why, way_out in _quarrels(recipe):
            written = next((key for key in (one, other) if subject.written(*path, key)), None)
            if written is not None:
                message = f"{quoted(one)} does not go with {quoted(f'{other}: {_yaml(getattr(recipe, other))}')}: {why}"
                yield error("S221", subject.value(*path, written), message, label="not together", help=way_out)


def check_engines(subject: Subject) -> Iterator[Diagnostic]:
    """What is asked of TRL is something that it is driven to do here."""
    devices = subject.spec.runtime.devices
    for path, recipe in _recipes(subject):
        if recipe.engine == "trl" and devices > 1 and subject.written(*path, "engine"):
            message = f"`engine: trl` trains on one device, and `runtime.devices` is {devices}"
            way_out = "set `runtime.devices: 1`, or `engine: stage1`"
            yield error("S222", subject.value(*path, "engine"), message, label="on one device", help=way_out)


def _quarrels(recipe: DpoRecipe) -> Iterator[tuple[str, str, str, str]]:
    """Two settings each, why they do not go together, and the way out."""
    if recipe.loss == "ipo" and recipe.label_smoothing > 0:
        way_out = "leave `label_smoothing` out, or set `loss: sigmoid`"
        yield "label_smoothing", "loss", "its squared loss has no label to smooth", way_out
    if recipe.loss == "ipo" and recipe.length_normalised:
        yield "length_normalised", "loss", "it compares means over tokens by itself", "leave `length_normalised` out"
    if recipe.length_normalised and recipe.label_smoothing > 0:
        way_out = "keep one of them, and make another arm for the other"
        yield "label_smoothing", "length_normalised", "no published loss has both", way_out


def _yaml(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def check_pairs(subject: Subject) -> Iterator[Diagnostic]:
    """There are as many pairs as asked for: an instruction has one negative of each type."""
    items = subject.spec.data.instructions.train
    told: set[Path] = set()
    for name, arm in subject.arms.items():
        types = _types(arm.preferences.rejected)
        path = _path_of_pairs(subject, name)
        if not isinstance(arm.recipe, DpoRecipe) or types is None or arm.preferences.pairs <= types * items or path in told:
            continue
        told.add(path)
        message = f"{arm.preferences.pairs} pairs are asked for, {items} instructions give at most {types * items}"
        note = f"an instruction has at most one negative of each type, here of {types}"
        way_out = f"set `pairs: {types * items}`, or train on more instructions"
        yield warning("S216", subject.key(*path), message, label="more than there can be", help=way_out, notes=(note,))


def _types(mix: Mix) -> int | None:
    """How many types of negative a mix has; None where their number sets no bound."""
    shares = shares_of(mix)
    if isinstance(shares, str):
        return None if shares == "random" else len(ORIGINAL_MIX)
    return len(shares)


def _path_of_pairs(subject: Subject, arm: str) -> Path:
    """Where the pairs of an arm are described: in the arm, if it has a say in them."""
    own: Path = ("arms", arm, "data", "preferences")
    path = own if subject.written(*own) else ("data", "preferences")
    return next(((*path, key) for key in ("pairs", "rejected") if subject.written(*path, key)), path)


def _recipes(subject: Subject) -> Iterator[tuple[Path, SftRecipe | DpoRecipe]]:
    """Every recipe, and every arm's changed recipe, with its path."""
    for name, recipe in subject.spec.recipes.items():
        yield ("recipes", name), recipe
    for name, arm in subject.arms.items():
        if arm.recipe is not None and isinstance(subject.spec.arms[name].train, TrainOverride):
            yield ("arms", name, "train"), arm.recipe


def check_weights(subject: Subject) -> Iterator[Diagnostic]:
    """Weights in 4 bits or in bfloat16 cannot be trained themselves, and only those in 4 bits have scales to quantize."""
    model = subject.spec.model
    trained = model.adapter is None and any(arm.recipe is not None for arm in subject.arms.values())
    if trained and model.quantization == "nf4":
        message = "weights in 4 bits cannot be trained without an adapter"
        way_out = "leave out `adapter: null`, or `quantization: nf4`"
        yield error("S213", subject.value("model", "adapter"), message, label="no adapter", help=way_out)
    elif trained and model.dtype == "bfloat16":
        message = "weights in bfloat16 cannot be trained without an adapter: most updates are rounded away"
        way_out = "set `dtype: float32`, or leave out `adapter: null`"
        yield error("S226", subject.value("model", "dtype"), message, label="too coarse", help=way_out)
    if model.double_quantization and model.quantization != "nf4":
        message = "`model.double_quantization` is for weights in 4 bits; these are not quantized"
        place = subject.value("model", "double_quantization")
        yield error("S223", place, message, label="means nothing here", help="remove it, or set `quantization: nf4`")


def check_shards(subject: Subject) -> Iterator[Diagnostic]:
    """Only dense weights are sharded."""
    runtime = subject.spec.runtime
    if runtime.devices > 1 and runtime.strategy == "fsdp" and subject.spec.model.quantization == "nf4":
        place = subject.value("runtime", "strategy")
        yield error("S225", place, "`strategy: fsdp` cannot shard weights in 4 bits", label="dense only", help="set `ddp`")


def check_unused(subject: Subject) -> Iterator[Diagnostic]:
    """What was written changes something."""
    used = {recipe_name(arm) for arm in subject.spec.arms.values()}
    whole = subject.draft.is_whole("arms")
    for name in subject.spec.recipes:
        if name not in used and whole:
            message = f"no arm is trained by recipe {quoted(name)}"
            way_out = "remove it, or write `train` in an arm"
            yield warning("S214", subject.key("recipes", name), message, label="not used", help=way_out)
    for name, arm in subject.arms.items():
        for part in _data_without_effect(subject, arm):
            message = f"`data.{part}` changes nothing in arm {quoted(name)}"
            label = f"not used: {'the arm is not trained' if arm.recipe is None else f'trained by {arm.recipe.objective}'}"
            yield warning("S215", subject.key("arms", name, "data", part), message, label=label, help="remove it")


def _data_without_effect(subject: Subject, arm: ResolvedArm) -> Iterator[str]:
    data = subject.spec.arms[arm.name].data
    if data is None:
        return
    sft, shown = isinstance(arm.recipe, SftRecipe), arm.prompt == "few-shot"
    if data.demonstrations is not None and not sft and not (shown and "few_shot" in data.demonstrations.model_fields_set):
        yield "demonstrations"
    if data.preferences is not None and not arm.needs_chosen:
        yield "preferences"
