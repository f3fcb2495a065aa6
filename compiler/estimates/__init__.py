"""What a plan will take: tokens, steps, FLOPs, memory, time and price, from a model of the work that says its error."""

from compiler.estimates.devices import DEVICES, Device
from compiler.estimates.estimate import Calibration, Estimate, StepEstimate, UnknownDevice, estimate
from compiler.estimates.rendering import render_estimate
from compiler.estimates.shapes import ModelShape, UnknownShape, shape_of

__all__ = [
    "DEVICES",
    "Calibration",
    "Device",
    "Estimate",
    "ModelShape",
    "StepEstimate",
    "UnknownDevice",
    "UnknownShape",
    "estimate",
    "render_estimate",
    "shape_of",
]
