"""`model`: which weights, in what numbers, and the adapter that is trained on them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from compiler.language.base import Part, form_of

EMBEDDED = "tiny-base"


Targets = Annotated[
    Annotated[Literal["all-linear"], Tag("<a name>")]
    | Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(min_length=1, description="Names of the linear layers to adapt, such as q_proj."),
        Tag("<a list>"),
    ],
    Discriminator(form_of({str: "<a name>", tuple: "<a list>"})),
]


class Adapter(Part):
    """Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685)."""

    model_config = ConfigDict(title="an adapter")

    rank: Annotated[int, Field(ge=1, le=4096, description="Rank r of the two factors of a weight's update.")] = 16
    alpha: Annotated[float, Field(gt=0, le=65_536, description="The update is scaled by alpha / rank.")] = 32
    dropout: Annotated[float, Field(ge=0, lt=1, description="Dropout on the adapter's input, as a fraction.")] = 0.0
    targets: Annotated[Targets, Field(description="Which layers are adapted: `all-linear`, or a list of layer names.")] = (
        "all-linear"
    )


class Model(Part):
    """The base model that every arm starts from."""

    model_config = ConfigDict(title="a model", protected_namespaces=())

    base: Annotated[
        str,
        Field(
            min_length=1,
            max_length=500,
            description=f"`{EMBEDDED}` (embedded), a hub id such as Qwen/Qwen2.5-32B, or a local folder.",
        ),
    ] = EMBEDDED
    revision: Annotated[
        str | None,
        Field(
            min_length=1, max_length=200, description="Commit of a hub model; without it, whatever the hub serves on the day."
        ),
    ] = None
    quantization: Annotated[
        Literal["none", "nf4"],
        Field(description="`nf4`: weights in 4 bits (Dettmers et al. 2023, arXiv 2305.14314). Needs a GPU."),
    ] = "none"
    double_quantization: Annotated[
        bool,
        Field(
            exclude_if=lambda on: not on,
            description="Quantizes the scales of nf4 weights, too: 4.1 bits a weight instead of 4.5, a little less exact.",
        ),
    ] = False
    dtype: Annotated[Literal["float32", "bfloat16"], Field(description="Numbers in which the model computes.")] = "float32"
    adapter: Annotated[Adapter | None, Field(description="The adapter that is trained; null trains all weights.")] = Adapter()
