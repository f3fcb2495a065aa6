"""The experiment that the examples of many codes are about."""

from __future__ import annotations

RECIPES = """
experiment: demo
data: {preferences: {chosen: {from: sft}}}
recipes:
  sft: {objective: sft}
  dpo: {objective: dpo}
arms:
  base: {}
  sft: {from: base, train: sft}
"""
TWO_STAGES = RECIPES + "  sft_dpo: {from: sft, train: dpo}\n"
