"""One door for every base model: the embedded one, hub ids and local folders, in full or four-bit weights."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from compiler.estimates.shapes import known_shape
from models.attention import register
from models.contamination import reserved_tokens
from models.errors import ModelError
from models.memory import check_fits
from models.nf4 import compute_as_everywhere
from models.quiet import quiet_transformers
from models.weights import description_folder, meant_folder, read_config, stored_bytes, weights_folder

if TYPE_CHECKING:
    import torch

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt


class ModelSettings(BaseModel):
    """Which base model, and in what form. Keys that say nothing about loading (`digest`, `adapter`) are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    base: str
    revision: str | None = None
    quantization: Literal["none", "nf4"] = "none"
    double_quantization: bool = False
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True)
class LoadedBase:
    """A frozen base model in evaluation mode, resident on its device."""

    model: Any
    """A transformers causal language model."""
    tokenizer: Any
    device: torch.device
    settings: ModelSettings

    @property
    def context(self) -> int:
        """The most positions the model was made for and, where attention slides, at which a token still sees all before it."""
        config = self.model.config
        window = getattr(config, "sliding_window", None) or 2**31
        return int(min(getattr(config, "max_position_embeddings", 2**31), window))


def pick_device() -> torch.device:
    """The first GPU, or else the CPU."""
    import torch

    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def load_base(settings: Mapping[str, Any] | ModelSettings, device: torch.device | str | None = None) -> LoadedBase:
    """Loads weights (safetensors only, no remote code) and tokenizer, having checked that they can work.

    Raises:
        ModelError: no such model, no safetensors, it does not fit, or tokenizer and weights do not belong together.
    """
    import torch

    wanted = settings if isinstance(settings, ModelSettings) else ModelSettings.model_validate(dict(settings))
    target = pick_device() if device is None else torch.device(device)
    _check_known_size(wanted, target)
    folder = description_folder(wanted.base, wanted.revision)
    config = read_config(folder)
    tokenizer = load_tokenizer(folder)
    _check_vocabulary(wanted.base, tokenizer, config)
    _check_size(wanted, folder, config, target)
    folder = weights_folder(wanted.base, wanted.revision)
    _check_size(wanted, folder, config, target)
    model = _load_model(folder, wanted, target)
    _check_head(wanted.base, model, target)
    return LoadedBase(model, tokenizer, target, wanted)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder. Tokens that its chat template uses are marked special, so that text stays text.

    Raises:
        ModelError: it cannot be read or has no end-of-sequence token.
    """
    from transformers import AutoTokenizer

    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(f"{folder} has no readable tokenizer ({reason[0]}): save one beside the weights") from error
    if tokenizer.eos_token_id is None:
        raise ModelError(f"the tokenizer of {folder} has no end-of-sequence token: set eos_token in tokenizer_config.json")
    _reserve_template_tokens(tokenizer)
    return tokenizer


def _reserve_template_tokens(tokenizer: Any) -> None:
    """Marks as special what the chat template uses and the tokenizer does not call special (Qwen's `<tool_call>`)."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        named = set(reserved_tokens(tokenizer).values()) - set(tokenizer.all_special_ids)
        backend.add_special_tokens(
            [token for id, token in tokenizer.added_tokens_decoder.items() if id in named and not token.special]
        )


def _check_vocabulary(base: str, tokenizer: Any, config: dict[str, Any]) -> None:
    rows, highest = int(config.get("vocab_size", 0)), max(tokenizer.get_vocab().values())
    if highest >= rows:
        raise ModelError(
            f"{base}: the tokenizer has ids up to {highest} but the model's vocabulary is {rows}: "
            "they do not belong together, use the tokenizer saved with these weights"
        )


def _check_known_size(wanted: ModelSettings, device: torch.device) -> None:
    """What a hub model weighs may be known by its name: then it is refused before anything is fetched."""
    shape = known_shape(wanted.base) if meant_folder(wanted.base) is None else None
    if shape is not None:
        config = {
            "dtype": "bfloat16",
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.hidden,
            "tie_word_embeddings": shape.tied,
        }
        check_fits(wanted.base, 2 * shape.parameters, config, wanted.quantization, wanted.dtype, device)


def _check_size(wanted: ModelSettings, folder: Path, config: dict[str, Any], device: torch.device) -> None:
    _check_stored_form(wanted, config.get("quantization_config"))
    stored = stored_bytes(folder)
    if stored is not None:
        check_fits(wanted.base, stored, config, wanted.quantization, wanted.dtype, device)


def _check_stored_form(wanted: ModelSettings, form: Mapping[str, Any] | None) -> None:
    """Weights that are stored quantised are loaded as they are: that must be what the settings say."""
    if form and wanted.quantization == "none":
        raise ModelError(f"{wanted.base} is stored quantised: set quantization: nf4, or name the unquantised weights")
    if form and not (form.get("load_in_4bit") and form.get("bnb_4bit_quant_type") == "nf4"):
        raise ModelError(f"{wanted.base} is stored quantised, and not as nf4: name the unquantised weights")
    if form and bool(form.get("bnb_4bit_use_double_quant")) != wanted.double_quantization:
        raise ModelError(
            f"{wanted.base} is stored with its scales {'not ' if wanted.double_quantization else ''}quantised: "
            f"set double_quantization: {'false' if wanted.double_quantization else 'true'}, or name the unquantised weights"
        )


def _load_model(folder: Path, wanted: ModelSettings, device: torch.device) -> Any:
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    options: dict[str, Any] = {"dtype": getattr(torch, wanted.dtype), "attn_implementation": register()}
    if wanted.quantization == "nf4" and not read_config(folder).get("quantization_config"):
        options["quantization_config"] = _nf4(wanted)
    if wanted.quantization == "nf4" or device.type == "cuda":
        options["device_map"] = {"": device}  # straight onto the device: never twice in memory
    try:
        with quiet_transformers(), _freed_memory_given_back() if wanted.quantization == "nf4" else nullcontext():
            model, report = AutoModelForCausalLM.from_pretrained(
                folder,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                **options,
            )
    except torch.OutOfMemoryError as error:
        raise ModelError(f"{wanted.base} does not fit on {device}: take a smaller base, nf4 or a larger machine") from error
    except (OSError, ValueError, RuntimeError, ImportError, KeyError, SafetensorError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"{wanted.base} cannot be loaded ({reason[0]}): name a causal language model of transformers"
        ) from error
    if report["missing_keys"]:
        raise ModelError(
            f"{wanted.base} lacks weights such as {min(report['missing_keys'])}: complete the folder or save it again"
        )
    if wanted.quantization == "none":
        model = model.to(device)
    compute_as_everywhere(model)
    return model.eval().requires_grad_(False)


@contextmanager
def _freed_memory_given_back() -> Iterator[None]:
    """On a CPU layers are quantised by way of wider copies. glibc would keep those once freed: more than the model is large."""
    try:
        allocator = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        yield
        return
    allocator(_MMAP_THRESHOLD, 2**20)
    try:
        yield
    finally:  # from here on as glibc does by itself after the first large blocks: fast for tensors that come and go
        allocator(_MMAP_THRESHOLD, 2**25)
        allocator(_TRIM_THRESHOLD, 2**26)


def _nf4(wanted: ModelSettings) -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
        bnb_4bit_use_double_quant=wanted.double_quantization,
    )


def _check_head(base: str, model: Any, device: torch.device) -> None:
    """Log-probabilities project hidden states themselves; a model that also scales or caps its logits would come out wrong."""
    import torch

    ids = torch.tensor([[0, 1]], device=device)
    with torch.no_grad():
        logits = model(input_ids=ids, use_cache=False).logits
        projected = model.get_output_embeddings()(model.base_model(input_ids=ids, use_cache=False).last_hidden_state)
    if not torch.allclose(logits.float(), projected.float(), rtol=1e-3, atol=1e-3):
        raise ModelError(f"{base} transforms its logits after the output head: use a model of the Qwen2 or Llama kind")
