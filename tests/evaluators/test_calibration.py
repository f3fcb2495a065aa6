"""The self-test in small: nominal error rates where nothing is true, planned power where something is."""

from __future__ import annotations

import pytest

from evaluators.calibration import calibrate, family_settings, null_settings, power_settings, predicted, table_settings


@pytest.mark.parametrize("setting", [table_settings()[2], table_settings()[4], *null_settings()[2:5]], ids=lambda s: s.name)
def test_false_findings_stay_nominal(setting):
    """Where two arms differ in nothing, the test and the verdict find something in at most 5% of experiments."""
    found = calibrate(setting, 200)

    assert found.at_most(found.test)
    assert found.at_most(found.verdict)


def test_family_wise_errors_stay_nominal():
    """Nine claims of nothing: any of them comes out as supported in at most 5% of experiments."""
    found = calibrate(family_settings()[1], 50)

    assert found.at_most(found.family)


@pytest.mark.parametrize("setting", power_settings()[2:8:5], ids=lambda s: s.name)
def test_power_is_the_planned_one(setting):
    """What the planner expects and what the analysis achieves differ by no more than chance explains."""
    found, planned = calibrate(setting, 250), predicted(setting)

    assert found.verdict == pytest.approx(planned.power, abs=0.03 + 3 * (found.error(found.verdict) + planned.error))


def test_the_self_test_notices_a_broken_instrument(monkeypatch):
    """With the variance between seeds left out, as in a pooled analysis, false findings are far above the nominal rate."""
    from evaluators.analysis import comparisons
    from evaluators.statistics.crossed import NO_SEED_VARIANCE

    real = comparisons.crossed_test
    monkeypatch.setattr(
        comparisons, "crossed_test", lambda a, b, _, **more: real(a, b, NO_SEED_VARIANCE, **more | {"trained": (False, False)})
    )
    found = calibrate(table_settings()[4], 150)

    assert not found.at_most(found.test)
