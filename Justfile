# List the recipes.
default:
    @just --list

# Install everything, byte-compiled, and the git hooks.
setup:
    UV_COMPILE_BYTECODE=1 uv sync
    uv run pre-commit install

# Lint, format check, strict types, import floors.
check:
    .ci/check

# Put imports and layout in order.
format:
    uv run ruff check --fix .
    uv run ruff format .

# Run the tests; arguments go to pytest.
test *ARGS:
    uv run pytest {{ARGS}}

# The whole four-arm experiment on this machine.
quickstart:
    uv run stage1 run specs/quickstart.yaml

# Rebuild the embedded base model: corpus, tokenizer, weights, model card.
tiny-base *ARGS:
    uv run python -m stage1.tiny_base {{ARGS}}

# Regenerate the JSON Schema that editors use.
schema:
    uv run stage1 schema > specs/experiment.schema.json

# Record wall time per step and peak memory of the quickstart.
bench:
    uv run python bench/quickstart.py

# The scorer's agreement with labelled answers; `--write` stores it for the reports, `--rounds` tells it by round.
criteria *ARGS:
    uv run python -m stage1.criteria {{ARGS}}

# The self-test of the statistics: error rates and power of the whole analysis, written to docs/calibration.md.
calibrate *ARGS:
    uv run python bench/calibrate.py {{ARGS}}

# Fault injection on real runs (one laboratory a core); the counts go to bench/faults.json.
faults *ARGS:
    uv run python bench/faults.py {{ARGS}}

# Compare the arms in the MLflow UI.
ui:
    uv run stage1 ui
