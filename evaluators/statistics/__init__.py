"""Procedures for comparing arms: intervals, paired tests, the crossed item x seed test, effect sizes, corrections, power.

Outcomes lie in [0, 1] (a criterion: 0 or 1); effects are differences of rates, as fractions. Arrays are float64 unless said
otherwise. A procedure that has no valid answer for its input returns a `Refusal` with the reason, never NaN.
"""
