"""Adapted layers that keep little for the backward pass.

The base weights are frozen, so that a linear layer needs no more than its input to go backwards, four-bit weights are turned
into dense ones where they are used and forgotten again, and an adapter adds two narrow products in the model's own precision.
"""
