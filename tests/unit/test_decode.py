"""Score fusion, penalty and choice, on responses made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tracker.api import Verdict
from tracker.config import NetConfig, TrackConfig
from tracker.inference.decode import Decoder
from tracker.inference.engine import Scores
from tracker.inference.signals import Evidence, Monitor

NET, CONFIG = NetConfig(), TrackConfig()
DECODER = Decoder(NET)
SQUARE = 2
RNG = np.random.default_rng(5)


G = 25
NONE = np.zeros((0, G, G), np.float32)


def logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p)).astype(np.float32)


def scores(
    foreground: np.ndarray | None = None,
    loc: np.ndarray | None = None,
    attention: np.ndarray | None = None,
    offsets: np.ndarray = NONE,
    levels: np.ndarray | None = None,
) -> Scores:
    """Responses made by hand; ``attention`` as probabilities (l, g, g)."""
    return Scores(
        np.zeros((5, G, G), np.float32) if foreground is None else foreground,
        np.zeros((20, G, G), np.float32) if loc is None else loc,
        NONE if attention is None else logit(attention),
        offsets,
        np.zeros((0, 5, G, G), np.float32) if levels is None else levels,
    )


def one_peak(*cells: tuple[int, int], value: float = 0.9) -> np.ndarray:
    out = np.full((G, G), 0.01, np.float32)
    for row, column in cells:
        out[row, column] = value
    return out


def noisy(levels: int = 1) -> Scores:
    """Random responses whose attention stays below t everywhere."""
    return scores(
        RNG.random((5, G, G)).astype(np.float32) * 0.3,
        RNG.normal(0, 0.1, (20, G, G)).astype(np.float32),
        RNG.random((levels, G, G)).astype(np.float32) * 0.09,
    )


def test_zero_deltas_give_the_anchors_back() -> None:
    boxes = DECODER.boxes(np.zeros((20, G, G), np.float32))
    assert np.array_equal(np.moveaxis(boxes, 0, -1), DECODER.anchors)


def test_the_penalty_is_one_where_size_and_shape_are_kept() -> None:
    probability = np.zeros((5, G, G), np.float32)
    probability[SQUARE, 12, 12] = 0.9
    choice, _ = DECODER.choose(scores(probability), (64, 64), CONFIG)
    assert (choice.row, choice.column) == (12, 12)
    assert choice.penalty == pytest.approx(1)
    assert choice.box.tolist() == [127.5, 127.5, 64, 64]


@pytest.mark.parametrize("mode", ["paper", "released"])
@pytest.mark.parametrize("levels", [1, 3])
def test_without_weight_or_peak_siamatt_is_siamrpnpp_bit_for_bit(mode: str, levels: int) -> None:
    """Reference, section I: w = 0, or no peak above t, must equal SiamRPN++."""
    quiet = noisy(levels)
    config = replace(CONFIG, score_mode=mode)  # type: ignore[arg-type]
    rpn, maps = DECODER.choose(quiet._replace(attention=NONE), (60, 70), config)
    no_peak, same = DECODER.choose(quiet, (60, 70), config)
    loud = quiet._replace(attention=np.full((levels, G, G), 3, np.float32))
    weightless, _ = DECODER.choose(loud, (60, 70), replace(config, attention_weight=0.0))
    for other in (no_peak, weightless):
        assert np.array_equal(rpn.box, other.box)
        assert rpn[1:] == other[1:]
    assert np.array_equal(maps.fused, same.fused)


def test_an_attention_peak_lifts_every_anchor_of_its_cell_and_no_other() -> None:
    attention = one_peak((6, 17), value=0.8)
    attention[6, 18] = 0.7  # above t, but no peak
    given = noisy()._replace(attention=logit(attention[None]))
    fused, most = DECODER.fuse(given, CONFIG)
    lifted = fused - given.foreground
    assert most == 2
    assert lifted[:, 6, 17] == pytest.approx([0.8] * 5)
    lifted[:, 6, 17] = 0
    assert np.allclose(lifted, 0, atol=1e-6)


def test_each_level_adds_its_own_peaks() -> None:
    """SiamAtt equation 5 with the levels' probabilities; a level without a peak above t counts as absent."""
    given = scores(attention=np.stack([one_peak((6, 17), value=0.8), one_peak((6, 17), value=0.6), one_peak()]))
    fused, most = DECODER.fuse(given, CONFIG)
    assert fused[:, 6, 17] == pytest.approx([1.4] * 5)
    assert most == 3


def test_the_printed_sum_adds_the_classification_of_every_level() -> None:
    levels = RNG.random((3, 5, G, G)).astype(np.float32)
    given = scores(levels[0], attention=one_peak((6, 17), value=0.8)[None], levels=levels)
    fused, most = DECODER.fuse(given, replace(CONFIG, score_mode="paper-sum3"))
    assert fused[1, 6, 17] == pytest.approx(levels[:, 1, 6, 17].sum() + 0.8)
    assert most == 4


def test_the_released_mode_adds_shares_of_one_softmax_over_all_anchors() -> None:
    """Five copies share the mass of a cell, so that one cell adds at most a fifth (reference C.3)."""
    attention = np.full((1, G, G), 1e-6, np.float32)
    attention[0, 6, 17] = 1 - 1e-6
    fused, _ = DECODER.fuse(scores(attention=attention), replace(CONFIG, score_mode="released"))
    assert fused[:, 6, 17] == pytest.approx([0.2] * 5, abs=1e-4)


def test_raw_scores_leave_the_sum_undivided() -> None:
    given = scores(np.full((5, G, G), 0.5, np.float32), attention=one_peak((12, 12), value=0.8)[None])
    divided, _ = DECODER.choose(given, (64, 64), CONFIG)
    raw, maps = DECODER.choose(given, (64, 64), replace(CONFIG, raw_scores=True))
    assert divided.fused == pytest.approx(0.65)
    assert raw.fused == pytest.approx(1.3)
    assert maps.fused.max() == pytest.approx(0.65)


@pytest.mark.parametrize(
    ("centre", "printed", "true"), [(63, 6, 4), (96, 9, 8), (127, 12, 12), (159, 15, 16), (191, 18, 20)]
)
def test_peaks_of_the_printed_grid_come_back_to_the_responses_cells(centre: int, printed: int, true: int) -> None:
    """Label cells of reference, section I; the offset says where inside its 10.2 px cell the centre lies."""
    decoder = Decoder(replace(NET, label_grid="paper"))
    assert int(centre / 10.2) == printed
    offsets = np.zeros((2, G, G), np.float32)
    offsets[0, 12, printed] = centre / 10.2 - printed
    offsets[1, 12, printed] = 127 / 10.2 - 12
    given = scores(attention=one_peak((12, printed))[None], offsets=offsets)
    fused, _ = decoder.fuse(given, CONFIG)
    assert tuple(np.argwhere(fused[0] > 0.5)[0]) == (12, true)


def test_attention_decides_between_equal_candidates() -> None:
    probability = np.zeros((5, G, G), np.float32)
    probability[SQUARE, 12, 8] = probability[SQUARE, 12, 16] = 0.8
    choice, maps = DECODER.choose(scores(probability, attention=one_peak((12, 16))[None]), (64, 64), CONFIG)
    assert (choice.row, choice.column) == (12, 16)
    assert choice.runner_up_cell == (12, 8)
    assert 0 < choice.runner_up < 1
    assert all(m.shape == (G, G) and m.min() >= 0 and m.max() <= 1 for m in maps)


@pytest.mark.parametrize("delta", [-1e4, 1e4])
def test_absurd_deltas_give_finite_boxes(delta: float) -> None:
    """Untrained networks say such things, and so do trained ones on black frames."""
    choice, _ = DECODER.choose(scores(loc=np.full((20, G, G), delta, np.float32)), (64, 64), CONFIG)
    assert np.isfinite(choice.box).all()
    assert (choice.box[2:] > 0).all()


def test_a_larger_search_region_has_more_cells_around_the_same_centre() -> None:
    """Reference B.2: 831 px give 97 cells; the cosine window hardly counts there."""
    wide = Decoder(NET, 831)
    assert wide.window.shape == (97, 97)
    assert wide.anchors[SQUARE, 48, 48].tolist() == [415.5, 415.5, 64, 64]
    assert np.diff(wide.anchors[SQUARE, 0, :, 0]) == pytest.approx(8)


def test_a_target_that_fades_is_first_uncertain_then_lost_and_says_why() -> None:
    probability = np.zeros((5, G, G), np.float32)
    probability[SQUARE, 12, 12] = 0.05
    choice, _ = DECODER.choose(scores(probability), (64, 64), CONFIG)
    monitor, verdicts = Monitor(CONFIG), []
    for _ in range(12):
        verdict, reason, signals = monitor.judge(choice, Evidence(0.05, 0.0))
        verdicts.append(verdict)
        assert bool(reason) == (verdict is not Verdict.TRACKED)
        assert all(np.isfinite(value) for value in signals.values())
    first = {verdict: verdicts.index(verdict) for verdict in Verdict}
    assert first[Verdict.TRACKED] < first[Verdict.UNCERTAIN] < first[Verdict.LOST]
    assert verdicts[-1] is Verdict.LOST
