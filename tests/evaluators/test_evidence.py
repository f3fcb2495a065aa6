"""Checks on data and results: each notices what it is there for, in numbers, and changes a verdict only where it must."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compiler.records import Answer, Item, ItemScore, PairLogProbs, PreferencePair
from evaluators.analysis import AnalyzeSettings
from evaluators.analysis.outcomes import read_outcomes
from evaluators.evidence import ArmRun, Material, Training, judge
from evaluators.evidence.headroom import rooms, told_at_the_gate
from evaluators.evidence.length import regress
from evaluators.evidence.material import BASE

N, SEEDS = 60, (1, 2, 3)
CRITERIA = ("addresses_instruction", "coherent", "on_topic")


def settings(expect="greater", on=("addresses_instruction",), **more):
    """One claim: arm `a` against arm `b`, both trained with three seeds, beside the base model."""
    claim = {"name": "gain", "says": "a beats b", "compare": ["a", "b"], "expect": expect, "on": list(on)}
    arms = {"base": [None], "a": list(SEEDS), "b": list(SEEDS)}
    return AnalyzeSettings.model_validate({"claims": [claim | more], "arms": arms, "criteria": CRITERIA})


ITEMS = tuple(Item(id=f"i{i}", kind="qa", instruction=f"Name thing {i}.", answers=(f"t{i}",)) for i in range(N))


def scored(passed_by_a, passed_by_b, base=0.5):
    """Scores on all criteria: every seed of an arm passes the first `passed` items of a fixed shuffle."""
    order = np.random.default_rng(0).permutation(N)

    def run(first):
        good = set(order[: round(first)])
        return [ItemScore(item_id=ITEMS[i].id, criteria=dict.fromkeys(CRITERIA, i in good)) for i in range(N)]

    arms = {("base", None): run(base * N)}
    return arms | {("a", s): run(passed_by_a) for s in SEEDS} | {("b", s): run(passed_by_b) for s in SEEDS}


def answered(arm, seed=None, tokens=10, cut=False, response=" thing\nEND", **more):
    """A run whose answers all look alike; `tokens` may be one number or one per item."""
    lengths = np.broadcast_to(tokens, N)
    answers = {
        item.id: Answer(item_id=item.id, split="heldout", response=response, tokens=int(length), hit_token_limit=cut)
        for item, length in zip(ITEMS, lengths, strict=True)
    }
    return ArmRun(arm, seed, answers, **more)


def all_runs(**changed):
    """Material with three alike arms, apart from what is `changed`: arm -> keywords of `answered`."""
    keys = [("base", None), *((arm, seed) for arm in ("a", "b") for seed in SEEDS)]
    return Material((), {}, tuple(answered(arm, seed, **changed.get(arm, {})) for arm, seed in keys))


def finding(analysis, code, subject=None):
    """The only finding of a code and subject."""
    found = [f for f in analysis.evidence.findings if f.code == code and subject in (None, f.subject)]
    assert len(found) == 1, [f.message for f in found]
    return found[0]


def verdict(analysis):
    """Of the one claim: before the checks, after them, and the sentence."""
    claim = analysis.claims[0]
    return claim.statistical_verdict, claim.verdict, claim.sentence


def test_a_clean_experiment_keeps_its_verdict_and_every_check_is_listed():
    """Nothing to find: the verdict of the statistics stands, and what could not be checked says so."""
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs())

    assert verdict(analysis)[:2] == (None, "supported")
    assert not [f for f in analysis.evidence.findings if f.changes]
    codes = [check.code for check in analysis.evidence.checks]
    assert codes == sorted(codes)
    assert set(codes) >= {
        "M003",
        "M004",
        "M006",
        "M008",
        "M009",
        "M010",
        "M012",
        "M014",
        "M016",
        "M017",
        "M018",
        "M020",
        "M022",
    }
    assert all(check.note for check in analysis.evidence.checks)


def test_a_verdict_that_rests_on_leaked_items_is_confounded():
    """The gain is on items that training has nearly seen: without them it is gone, and the sentence says so."""
    gained = set(np.random.default_rng(0).permutation(N)[30:50])
    material = Material((), {ITEMS[i].id: "t" for i in gained}, all_runs().runs)
    analysis = judge(settings(), scored(50, 30), ITEMS, material)

    before, after, sentence = verdict(analysis)
    assert (before, after) == ("supported", "confounded")
    assert "20 of 60 held-out items nearly repeat a training instruction" in sentence
    assert "M016" in sentence
    assert finding(analysis, "M016").numbers["leaked"] == 20


def test_leaked_items_that_decide_nothing_are_told_and_leave_the_verdict():
    """A few near-duplicates among many items are a note."""
    material = Material((), {ITEMS[0].id: "t"}, all_runs().runs)
    analysis = judge(settings(), scored(50, 30), ITEMS, material)

    assert verdict(analysis)[:2] == (None, "supported")
    assert finding(analysis, "M016").weight == "notes"


def test_shared_templates_are_told():
    """Held-out items of a template that training items fill, too, are counted."""
    items = tuple(item.model_copy(update={"family": f"f{i // 2}"}) for i, item in enumerate(ITEMS))
    material = Material((items[0], items[2]), {}, all_runs().runs)
    analysis = judge(settings(), scored(50, 30), items, material)

    assert finding(analysis, "M016").numbers == {"shared": 4, "items": N}


def test_arms_that_were_not_isolated_are_confounded():
    """Another answer to a sentinel prompt after an arm than before it spoils every claim about that arm."""
    hashes = {"sentinels": ["x"], "before": "p", "after": "q", "identical": False}
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(a={"isolation": hashes}))

    assert verdict(analysis)[:2] == ("supported", "confounded")
    assert finding(analysis, "M018", "isolation").numbers["runs"] == 3


def test_isolation_that_holds_is_the_proof():
    """Identical sentinel answers are counted, and nothing is found."""
    hashes = {"sentinels": ["x"], "before": "p", "after": "p", "identical": True}
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(a={"isolation": hashes}, b={"isolation": hashes}))

    check = next(c for c in analysis.evidence.checks if c.subject == "isolation")
    assert (check.done, check.found) == (True, 0)
    assert "6 of 6 runs" in check.note


def test_a_gain_that_goes_with_length_is_not_decided():
    """Where the better arm's answers are longer on exactly the items it wins, equal length leaves nothing."""
    gained = set(np.random.default_rng(0).permutation(N)[30:50])
    longer = np.array([20 if i in gained else 10 for i in range(N)])
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(a={"tokens": longer}))

    before, after, sentence = verdict(analysis)
    assert (before, after) == ("supported", "inconclusive")
    assert "at equal length" in sentence
    effect = analysis.evidence.lengths[0]
    assert effect.effect == pytest.approx(1 / 3)
    assert effect.adjusted == pytest.approx(0, abs=1e-9)
    assert effect.slope == pytest.approx(1)


def test_length_that_has_nothing_to_do_with_a_gain_leaves_it():
    """Answers of varying length that win or lose all the same: the adjusted difference is the measured one."""
    lengths = np.random.default_rng(5).integers(8, 16, N)
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(a={"tokens": lengths}))

    assert verdict(analysis)[:2] == (None, "supported")
    assert analysis.evidence.lengths[0].adjusted == pytest.approx(1 / 3, abs=0.1)


def test_the_regression_agrees_with_statsmodels():
    """Intercept, slope and cluster-robust variance of the adjustment, against an independent implementation."""
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(1)
    x, codes = rng.normal(size=40), np.repeat(np.arange(10), 4)
    y = 0.3 + 0.5 * x + rng.normal(size=40) + rng.normal(size=10)[codes]
    fitted = OLS(y, np.column_stack([np.ones(40), x])).fit(cov_type="cluster", cov_kwds={"groups": codes})

    assert regress(y, x, codes) == pytest.approx((*fitted.params, fitted.cov_params()[0, 0]))


def test_unequal_cutting_off_is_told():
    """One arm always at the token limit, the other never: rates per arm, and the comparison that is left."""
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(b={"cut": True, "response": " on and on"}))

    found = finding(analysis, "M017")
    assert found.numbers["second_truncated"] == 1
    assert found.numbers["items_ended"] == 0
    conduct = {row.arm: row for row in analysis.evidence.conduct}
    assert (conduct["a"].no_end, conduct["b"].no_end) == (0, 1)


def test_missing_items_that_decide_make_a_verdict_inconclusive():
    """Arm b failed 20 items by not answering: passed instead, they would leave no gain."""
    scores = scored(50, 30)
    lost = {f"i{i}" for i in np.random.default_rng(0).permutation(N)[30:50]}
    scores = {key: [s for s in run if key[0] != "b" or s.item_id not in lost] for key, run in scores.items()}
    analysis = judge(settings(), scores, ITEMS, all_runs())

    assert verdict(analysis)[:2] == ("supported", "inconclusive")
    assert finding(analysis, "M022").numbers == {"missing_b": 60}


def test_answers_that_a_criterion_broke_on_and_that_decide_make_a_verdict_inconclusive():
    """The criterion broke on 20 answers of arm b in every seed: passed instead of failed, they would leave no gain."""
    scores = scored(50, 30)
    lost = {f"i{i}" for i in np.random.default_rng(0).permutation(N)[30:50]}

    def broken(score):
        criteria = {**score.criteria, "addresses_instruction": None}
        return score.model_copy(update={"criteria": criteria, "failures": {"addresses_instruction": "IndexError"}})

    scores = {key: [broken(s) if key[0] == "b" and s.item_id in lost else s for s in run] for key, run in scores.items()}
    analysis = judge(settings(), scores, ITEMS, all_runs())

    assert verdict(analysis)[:2] == ("supported", "inconclusive")
    assert finding(analysis, "M022").numbers == {"broke_b": 60}


def test_endpoints_that_are_one_are_told():
    """Criteria that agree on every answer have phi 1 and count as one."""
    analysis = judge(settings(on=("addresses_instruction", "coherent")), scored(50, 30), ITEMS, all_runs())

    assert finding(analysis, "M014").numbers["phi"] == pytest.approx(1)
    assert analysis.evidence.redundancy.effective == pytest.approx(1)


def trained(**more):
    """A training of 1000 tokens."""
    return Training(**({"objective": "sft", "beta": None, "tokens": 1000, "curves": {}} | more))


def pair(i, kind="off_topic", chosen="t", rejected="Bananas are yellow and this is about bananas.", item=None):
    """A training pair on item i."""
    return PreferencePair(
        id=f"i{i}/{kind}", item_id=item or f"i{i}", instruction=f"Name thing {i}.", chosen=chosen, rejected=rejected,
        negative_type=kind, split="train",
    )  # fmt: skip


def test_more_training_without_a_control_confounds():
    """Twice the tokens explain a gain as well; an arm trained as much, set against the same one, rules that out."""
    runs = all_runs(a={"training": trained(tokens=2000)}, b={"training": trained()})
    alone = judge(settings(), scored(50, 30), ITEMS, runs)
    assert verdict(alone)[:2] == ("supported", "confounded")
    assert finding(alone, "M003").numbers["ratio"] == 2

    both = settings()
    control = both.claims[0].model_copy(update={"name": "control", "compare": ("a", "c")})
    both = both.model_copy(update={"claims": (*both.claims, control), "arms": both.arms | {"c": SEEDS}})
    scores = scored(50, 30)
    scores |= {("c", s): scores["b", s] for s in SEEDS}
    more = tuple(answered("c", s, training=trained(tokens=1900)) for s in SEEDS)
    controlled = judge(both, scores, ITEMS, Material((), {}, (*runs.runs, *more)))
    assert verdict(controlled)[:2] == (None, "supported")


def test_a_claim_about_the_amount_of_training_is_not_confounded_by_it():
    """Twice the tokens are what such a claim is about, as in the plan's review; the ratio is told all the same."""
    runs = all_runs(a={"training": trained(tokens=2000)}, b={"training": trained()})
    analysis = judge(settings(isolates=["train.epochs"]), scored(50, 30), ITEMS, runs)

    assert verdict(analysis)[:2] == (None, "supported")
    note = next(check.note for check in analysis.evidence.checks if check.code == "M003")
    assert "a 2.00 times as many as b" in note
    assert "counts sequences" in note


def test_pairs_foreign_to_one_arm_are_measured():
    """The gap is the difference of mean log-probabilities per token of the chosen answers under both references."""

    def dpo(chosen):
        rows = (PairLogProbs(pair_id="p", chosen=4 * chosen, rejected=-40, chosen_tokens=4, rejected_tokens=10),)
        return trained(objective="dpo", beta=0.1, pairs=(pair(0),), reference=rows)

    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(a={"training": dpo(-0.5)}, b={"training": dpo(-2.0)}))

    assert finding(analysis, "M006").numbers["gap"] == pytest.approx(1.5)
    assert [(p.arm, p.chosen, p.rejected) for p in analysis.evidence.policies] == [("a", -0.5, -4), ("b", -2.0, -4)]


def test_shuffled_labels_are_not_taken_for_foreign_words():
    """Half of what shuffled pairs call chosen was rejected: that it is unlikely does not make it another policy's."""

    def dpo(chosen, labels):
        rows = (PairLogProbs(pair_id="p", chosen=4 * chosen, rejected=-40, chosen_tokens=4, rejected_tokens=10),)
        return trained(objective="dpo", beta=0.1, pairs=(pair(0),), reference=rows, labels=labels)

    runs = all_runs(a={"training": dpo(-0.5, "true")}, b={"training": dpo(-2.0, "shuffled")})
    analysis = judge(settings(), scored(50, 30), ITEMS, runs)

    assert not [f for f in analysis.evidence.findings if f.code == "M006"]
    assert len(analysis.evidence.policies) == 2


def test_dpo_that_forgets_its_chosen_answers_and_saturates_is_told():
    """A negative implicit reward of the chosen side and a vanishing loss at the end of training."""
    curves = {"rewards/chosen": [(i, -i / 10) for i in range(10)], "train/loss": [(i, 0.7 - 0.0777 * i) for i in range(10)]}
    analysis = judge(
        settings(), scored(50, 30), ITEMS, all_runs(a={"training": trained(objective="dpo", beta=0.1, curves=curves)})
    )
    low = {"train/loss": [(i, 0.001) for i in range(10)]}
    saturated = judge(
        settings(), scored(50, 30), ITEMS, all_runs(a={"training": trained(objective="dpo", beta=0.1, curves=low)})
    )

    assert finding(analysis, "M020", "chosen log-probability").numbers["nats"] == pytest.approx(-8.5)
    assert finding(saturated, "M020", "margins").numbers["loss"] == pytest.approx(0.001)


def test_negatives_that_are_none_and_pairs_that_are_alike_are_told():
    """Rejected answers that pass every criterion, differ by a letter, or are the same over and over."""
    train = tuple(Item(id=f"i{i}", kind="generation", instruction="Write one sentence about the sea.") for i in range(20))
    text = "The sea is wide and blue and full of fish."
    pairs = tuple(pair(i, chosen=text, rejected="The sea is wide and blue and full of fish!") for i in range(20))
    runs = all_runs(a={"training": trained(objective="dpo", beta=0.1, pairs=pairs)})
    analysis = judge(settings(), scored(50, 30), ITEMS, Material(train, {}, runs.runs))

    assert finding(analysis, "M009", "negatives").numbers == {"passing": 20, "graded": 20}
    assert finding(analysis, "M009", "distinct negatives").numbers["distinct"] == 1
    assert finding(analysis, "M020", "edit distance").numbers["close"] == 20


def test_gains_on_rehearsed_criteria_are_set_apart():
    """Arm a saw off-topic answers as bad and gains on on_topic alone."""
    scores = {
        key: [
            s.model_copy(update={"criteria": s.criteria | {"on_topic": key[0] == "a" or s.criteria["on_topic"]}}) for s in run
        ]
        for key, run in scored(30, 30).items()
    }
    runs = all_runs(a={"training": trained(objective="dpo", beta=0.1, pairs=tuple(pair(i) for i in range(5)))})
    analysis = judge(settings(on=("on_topic",)), scores, ITEMS, runs)

    gain = analysis.evidence.mirrors[0]
    assert (gain.mirrored, gain.gain_mirrored, gain.gain_unmirrored) == (("on_topic",), 0.5, 0.0)
    assert finding(analysis, "M008").weight == "weakens"


def test_an_endpoint_made_of_rehearsed_negatives_is_told_with_what_was_gained_elsewhere():
    """Preference accuracy asks about the negatives that one arm alone was shown: a note beside the gains in the answers."""
    scores = {
        key: [row.model_copy(update={"preference": {"off_topic": key[0] == "a" or i % 2 == 0}}) for i, row in enumerate(run)]
        for key, run in scored(30, 30).items()
    }
    runs = all_runs(a={"training": trained(objective="dpo", beta=0.1, pairs=tuple(pair(i) for i in range(5)))})
    found = finding(judge(settings(on=("preference_accuracy",)), scores, ITEMS, runs), "M008")

    assert (found.weight, found.subject) == ("notes", "mirrored pairs")
    assert "only one of a and b was shown as bad" in found.message
    assert found.numbers["unmirrored"] == 0


def test_exposure_counts_the_items_seen_twice():
    """Half of the pairs' items were demonstrated before."""
    seen = trained(
        objective="dpo", beta=0.1, pairs=tuple(pair(i) for i in range(4)), demonstrated=frozenset({"i0", "i1", "i9"})
    )
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(a={"training": seen}))

    assert finding(analysis, "M004").numbers["share"] == 0.5


def test_a_ceiling_is_told_before_training():
    """A base model that passes 58 of 60 items leaves 3.3 points, at the Wilson bound 11.4: too few for an effect of 15."""
    told = settings(compare=["a", "base"]).model_copy(update={"arms": {"base": (None,)}})
    wide = told.model_copy(update={"analysis": told.analysis.model_copy(update={"smallest_effect": 0.15})})
    outcomes = read_outcomes(wide, {("base", None): scored(0, 0, base=58 / 60)["base", None]}, ITEMS)
    found = list(rooms(wide, outcomes))

    assert [(room.arm, round(room.left, 3), round(room.most, 3), room.is_enough) for room in found] == [
        ("base", 0.033, 0.114, False)
    ]
    assert told_at_the_gate(found) == (
        "claim gain: base already passes addresses_instruction in 96.7%: at most 3.3 points to gain "
        "(11.4 at the 95% bound), 15.0 needed"
    )
    assert told_at_the_gate(list(rooms(told, outcomes))) == ""


@pytest.mark.parametrize(
    ("expect", "compare", "base", "left"),
    [("greater", ["a", "base"], 0.9, 0.1), ("less", ["a", "base"], 0.9, 0.9), ("greater", ["base", "a"], 0.9, 0.9),
     ("greater", ["a", "b"], 0.9, 0.1), ("equivalent", ["a", "base"], 0.9, None)],
)  # fmt: skip
def test_room_is_counted_in_the_direction_of_the_claim(expect, compare, base, left):
    """Above the base rate for a gain, below it for a loss or where the base arm is to come out ahead; none for sameness."""
    told = settings(expect, compare=compare).model_copy(update={"arms": {"base": (None,)}})
    outcomes = read_outcomes(told, {("base", None): scored(0, 0, base=base)["base", None]}, ITEMS)

    assert [room.left for room in rooms(told, outcomes)] == ([] if left is None else [pytest.approx(left)])


def test_the_arm_to_be_beaten_limits_what_can_be_gained():
    """After the run the measured lower arm counts, not the base model: at 59 of 60 items nobody gains 15 points over it."""
    wide = settings().model_copy(update={"analysis": settings().analysis.model_copy(update={"smallest_effect": 0.15})})
    found = finding(judge(wide, scored(60, 59), ITEMS, all_runs()), "M012")

    assert found.weight == "weakens"
    assert found.message.startswith("b already passes addresses_instruction in 98.3%: at most 1.7 points to gain (8.9 at the")
    assert found.numbers["smallest_effect"] == 0.15
    assert not [f for f in judge(wide, scored(50, 30), ITEMS, all_runs()).evidence.findings if f.code == "M012"]


def test_room_for_less_than_what_the_test_could_find_is_told():
    """An effect of interest may fit and still be smaller than any that the test would find."""
    seeds = {s: scored(50 - 8 * s, 50) for s in SEEDS}
    noisy = {key: seeds[key[1] or 1][key] for key in scored(0, 0)}
    analysis = judge(settings(), noisy, ITEMS, all_runs())
    room = finding(analysis, "M012").numbers

    assert room["smallest_effect"] < room["left"] < room["detectable"]


def test_an_untrained_arm_that_is_to_win_limits_how_much_can_be_lost():
    """The base model passes 3 of 60: no arm can be 15 points below it; what the other arm leaves upwards is no limit."""
    told = settings("less", compare=["a", "base"])
    told = told.model_copy(update={"analysis": told.analysis.model_copy(update={"smallest_effect": 0.15})})
    found = finding(judge(told, scored(1, 30, base=0.05), ITEMS, all_runs()), "M012")

    assert found.message.startswith("base only passes addresses_instruction in 5.0%: at most 5.0 points to lose")


def test_an_adjustment_beyond_the_data_gives_no_number():
    """Where one arm's answers are many times as long on every item, no number stands for the difference at equal length."""
    gained = set(np.random.default_rng(0).permutation(N)[30:50])
    longer = np.random.default_rng(1).integers(30, 51, N) + np.array([4 if i in gained else 0 for i in range(N)])
    found = finding(judge(settings(), scored(50, 30), ITEMS, all_runs(a={"tokens": longer})), "M010", "length")

    assert "a's answers are 4.1 times as long as b's" in found.message
    assert found.message.endswith("what is left of +33.3 points at equal length cannot be told from these answers")


def test_sensitivity_is_told_with_the_p_value_it_is_judged_by():
    """A sensitivity analysis agrees or not after correction, so both of its p-values are there."""
    claims = [{"name": n, "compare": ["a", "b"], "expect": "greater", "on": [e]} for n, e in zip("xyz", CRITERIA, strict=True)]
    arms = {"base": [None], "a": list(SEEDS), "b": list(SEEDS)}
    told = AnalyzeSettings.model_validate({"claims": claims, "arms": arms, "criteria": CRITERIA})
    contrast = judge(told, scored(50, 30), ITEMS, all_runs()).claims[0].contrasts[0]

    assert all(other.p <= other.p_adjusted <= 3 * other.p + 1e-12 for other in contrast.sensitivity)
    assert any(other.p < other.p_adjusted for other in contrast.sensitivity)


def nested(lineage):
    """The usual claim, with arms that build on others."""
    return settings().model_copy(update={"lineage": lineage})


def test_a_training_whose_loss_rose_is_told_beside_the_verdicts():
    """SFT, too: first and last loss and the seeds, for every claim with that arm; a reason of the verdict, not a footnote."""
    curves = {"train/loss": [(0, 0.87), (1, 12.0), *((i, 8.4) for i in range(2, 10))]}
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(b={"training": trained(curves=curves)}))
    found = finding(analysis, "M020", "loss")

    assert found.weight == "weakens"
    assert found.claims == ("gain",)
    assert found.numbers == {"first_loss": pytest.approx(0.87), "last_loss": pytest.approx(8.4), "seeds": 3}
    assert "the training of b ended with a higher loss than it began with in 3 of 3 seeds: 0.87 at the first step, 8.4" in (
        found.message
    )
    assert [reason for reason in analysis.claims[0].reasons if "the training of b ended with a higher loss" in reason]


def test_a_training_that_went_wrong_concerns_what_is_built_on_it():
    """Arm a starts from, or learns from the answers of, an arm that no claim compares: what diverged there is in a."""
    told = nested({"a": ("teacher",), "teacher": ()})
    told = told.model_copy(update={"arms": told.arms | {"teacher": SEEDS}})
    scores = scored(50, 30) | {("teacher", s): scored(30, 30)["b", s] for s in SEEDS}
    curves = {"train/loss": [(0, 1.0), (1, 2.0)]}
    teacher = tuple(answered("teacher", s, training=trained(curves=curves)) for s in SEEDS)

    analysis = judge(told, scores, ITEMS, Material((), {}, (*all_runs().runs, *teacher)))

    assert finding(analysis, "M020", "loss").claims == ("gain",)


@pytest.mark.parametrize(
    ("losses", "labels", "told"),
    [((0.9, 0.5, 0.4), "true", False), ((0.9,), "true", False), ((0.693, 0.6934), "true", False), ((0.693, 0.71), "true", True),
     ((0.693, 0.71), "shuffled", False), ((0.693, 0.9), "shuffled", True)],
)  # fmt: skip
def test_a_loss_that_rose_is_told_apart_from_one_that_cannot_fall(losses, labels, told):
    """One step has no end beside its beginning; a loss that stayed did not rise; shuffled labels leave a loss where it was, give or take chance."""
    curves = {"train/loss": list(enumerate(losses))}
    run = trained(objective="dpo", beta=0.1, curves=curves, labels=labels)
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(a={"training": run}))

    assert bool([f for f in analysis.evidence.findings if f.subject == "loss"]) == told


def test_pairs_that_could_not_be_made_are_told_beside_the_verdicts():
    """4 of 40 pairs: the numbers, once for the arms that share the pairs, as a reason of the verdict of their claims."""
    few = trained(objective="dpo", beta=0.1, pairs=tuple(pair(i) for i in range(4)), pairs_asked=40)
    runs = all_runs(a={"training": few}, b={"training": few})
    analysis = judge(settings(), scored(50, 30), ITEMS, runs)
    found = finding(analysis, "M009", "pairs made")

    assert (found.weight, found.claims) == ("weakens", ("gain",))
    assert found.numbers == {"made": 4, "asked": 40}
    assert found.message == "4 of 40 preference pairs asked for could be made (10.0%), and a and b learned from these alone"
    assert any("4 of 40 preference pairs" in reason for reason in analysis.claims[0].reasons)


def test_a_few_missing_pairs_are_no_finding():
    """From nine tenths on an arm was trained on about what its spec says; the check tells the counts all the same."""
    enough = trained(objective="dpo", beta=0.1, pairs=tuple(pair(i) for i in range(36)), pairs_asked=40)
    analysis = judge(settings(), scored(50, 30), ITEMS, all_runs(a={"training": enough}))

    assert not [f for f in analysis.evidence.findings if f.subject == "pairs made"]
    (check,) = [check for check in analysis.evidence.checks if check.subject == "pairs made"]
    assert check.note == "training pairs made: a 36 of 40"


def from_base(**changed):
    """Arms a and b trained from the base model, whose answers all stand beside theirs."""
    told = {"training": trained(start=BASE), "response": " otherwise\nEND"}
    runs = all_runs(base={"weights": BASE}, a=told | changed, b=told)
    return Material((), {}, runs.runs)


@pytest.mark.parametrize(
    ("expect", "statistical", "left"),
    [("equivalent", "supported", "inconclusive"), ("not_worse", "supported", "inconclusive"), ("greater", None, None)],
)
def test_a_training_that_changed_no_answer_shows_no_sameness(expect, statistical, left):
    """An arm that answers byte for byte as the one it was trained from: no claim of sameness of the two is decided by that."""
    told, scores = settings(expect, compare=["a", "base"]), scored(30, 50)
    analysis = judge(told, scores, ITEMS, from_base(response=" thing\nEND"))
    found = finding(analysis, "M020", "answers")

    assert (found.weight, found.claims) == ("weakens", ("gain",))
    assert found.message.startswith(
        "training changed no answer: in 3 seeds a answers all 60 held-out items byte for byte as base"
    )
    assert any("training changed no answer" in reason for reason in analysis.claims[0].reasons)
    before = judge(told, scores, ITEMS, from_base()).claims[0].verdict
    assert verdict(analysis)[:2] == ((before, left) if left else (None, before))
    assert before == (statistical or before)


def test_a_training_that_changed_no_answer_weakens_every_other_claim_about_its_arm():
    """Against a third arm the arm is what its parent is: told beside the verdict, which stands."""
    analysis = judge(settings(), scored(50, 30), ITEMS, from_base(response=" thing\nEND"))

    assert finding(analysis, "M020", "answers").changes == {}
    assert verdict(analysis)[:2] == (None, "supported")
    assert any("M020 in the results" in reason for reason in analysis.claims[0].reasons)


@pytest.mark.parametrize("lacking", ["one answer", "one seed", "another start", "one that is missing"])
def test_a_training_that_changed_anything_is_no_finding(lacking):
    """One other answer in one seed is enough; arms that merely agree are not taken for parent and child."""
    runs = list(from_base(response=" thing\nEND").runs)
    place = next(i for i, run in enumerate(runs) if (run.arm, run.seed) == ("a", 2))
    run, answers = runs[place], dict(runs[place].answers)
    if lacking == "one answer":
        answers["i7"] = answers["i7"].model_copy(update={"response": " thing \nEND"})
    elif lacking == "one that is missing":
        del answers["i7"]
    elif lacking == "one seed":
        answers = {key: answer.model_copy(update={"response": "x"}) for key, answer in answers.items()}
    start = "another" if lacking == "another start" else BASE
    runs[place] = replace(run, answers=answers, training=trained(start=start))
    analysis = judge(settings("equivalent", compare=["a", "base"]), scored(30, 30), ITEMS, Material((), {}, tuple(runs)))

    assert not [f for f in analysis.evidence.findings if f.subject == "answers"]
