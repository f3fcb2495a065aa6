"""Supervised fine-tuning: next-token loss on the response and its END, averaged over the tokens of the global batch."""

from __future__ import annotations

from models.batches import collate
from models.log_probabilities import response_log_probs
from trainers.data import GlobalBatch
from trainers.examples import SftExample, sequences
from trainers.losses import sft_loss
from trainers.module import Share, TrainingModule


class SftModule(TrainingModule):
    """With `loss_on: all` the prompt's tokens count too: the unmasked control."""

    def share(self, micro: GlobalBatch, whole: GlobalBatch) -> Share:
        """The micro-batch's token losses over the token count of the whole global batch."""
        total = sum(self._scored(example) for example in whole if isinstance(example, SftExample))
        trees = collate(sequences(micro), self.base.device, loss_on=self.recipe.loss_on, packed=self.policy.packed)
        sums, _ = response_log_probs(self.model, trees)
        return sft_loss(-sums, total), {}

    def _scored(self, example: SftExample) -> int:
        return len(example.tokens.response_ids) if self.recipe.loss_on == "response" else len(example.tokens) - 1
