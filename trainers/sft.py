"""Supervised fine-tuning: next-token loss on the response and its END, averaged over the tokens of the global batch."""

from __future__ import annotations

from collections.abc import Iterator

from models.batches import collate
from models.log_probabilities import response_log_probs
from trainers.data import GlobalBatch, micro_batches
from trainers.examples import SftExample, sequences
from trainers.losses import sft_loss
from trainers.module import Share, TrainingModule


class SftModule(TrainingModule):
    """With `loss_on: all` the prompt's tokens count too: the unmasked control."""

    def shares(self, batch: GlobalBatch) -> Iterator[Share]:
        """Each micro-batch's token losses over the token count of the whole global batch."""
        examples = [example for example in batch if isinstance(example, SftExample)]
        total = sum(self._scored(example) for example in examples)
        for micro in micro_batches(tuple(examples), self.recipe.micro_batch_size):
            collated = collate(sequences(micro), self.base.device, loss_on=self.recipe.loss_on)
            sums, _ = response_log_probs(self.model, collated)
            yield sft_loss(-sums, total), {}

    def _scored(self, example: SftExample) -> int:
        return len(example.tokens.response_ids) if self.recipe.loss_on == "response" else len(example.tokens) - 1
