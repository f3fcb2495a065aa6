"""What a run found, on one screen."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evaluators.results import Analysis
from stage1.report.words import endpoint_name, percent

_COLOURS = {
    "supported": "green",
    "contradicted": "red",
    "inconclusive": "yellow",
    "confounded": "magenta",
    "not testable": "dim",
}


def print_summary(analysis: Analysis) -> None:
    """Rates of the arms on the primary endpoints, then a verdict and one sentence per claim, on stdout."""
    console = Console()
    endpoints = list(dict.fromkeys([*analysis.primary, "ends_with_end", "preference_accuracy"]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("arm")
    for endpoint in endpoints:
        table.add_column(endpoint_name(endpoint), justify="right")
    rates = {(rate.arm, rate.endpoint): rate.rate for rate in analysis.rates}
    for arm in analysis.arms:
        table.add_row(escape(arm), *(percent(rates.get((arm, endpoint))) for endpoint in endpoints))
    console.print(table)
    for claim in analysis.claims:
        colour = _COLOURS[claim.verdict]
        console.print(f"\n[bold {colour}]{claim.verdict}[/]  {escape(claim.says)}", highlight=False)
        console.print(f"  {escape(claim.sentence)}", highlight=False)
