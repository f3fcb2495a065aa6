"""Rebuilds the embedded base model from a seed: corpus, tokenizer, weights, measured rates, model card."""
