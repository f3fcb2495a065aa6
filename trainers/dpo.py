"""Direct preference optimisation against stored reference log-probabilities."""

from __future__ import annotations

import torch

from models.batches import collate, sent
from models.log_probabilities import response_log_probs
from trainers.data import GlobalBatch
from trainers.examples import DpoExample, sequences
from trainers.losses import preference_loss
from trainers.module import Share, TrainingModule


class DpoModule(TrainingModule):
    """Mean loss over the pairs of the global batch; log-probabilities are summed over the response and its END."""

    validated = frozenset({"train/loss", "rewards/accuracy", "rewards/margin"})

    def share(self, micro: GlobalBatch, whole: GlobalBatch) -> Share:
        """The micro-batch's pairs over the number of pairs of the whole global batch."""
        rows = [example for example in micro if isinstance(example, DpoExample)]
        read = sequences(rows)
        at = {sequence: index for index, sequence in enumerate(read)}
        sides = torch.tensor([[at[row.chosen], at[row.rejected]] for row in rows])
        sums, counts = response_log_probs(self.model, collate(read, self.base.device, packed=self.policy.packed))
        sides = sent(sides, sums.device)
        (chosen, rejected), (chosen_tokens, rejected_tokens) = sums[sides].T, counts[sides].T
        reference = torch.tensor([[row.reference_chosen, row.reference_rejected] for row in rows], dtype=torch.float64)
        ref_chosen, ref_rejected = sent(reference.to(sums.dtype), sums.device).T
        terms = preference_loss(chosen, rejected, ref_chosen, ref_rejected, chosen_tokens, rejected_tokens, self.recipe)
        metrics = {
            "rewards/chosen": terms.chosen_reward,
            "rewards/rejected": terms.rejected_reward,
            "rewards/margin": terms.margin,
            "rewards/accuracy": terms.accuracy,
            "logps/chosen": chosen.detach(),
            "logps/rejected": rejected.detach(),
        }
        return terms.loss.sum() / len(whole), {name: value.sum() / len(whole) for name, value in metrics.items()}
