"""The F1 to expect of a row's likeliest labels, when its labels are independent with known probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def expected_f1_of_top(falling: Floats, *, most: int, count: int) -> Floats:
    """Expected F1 of taking the first 0, 1, ..., `most` labels.

    E_k = sum_ij P(TP = i) P(FN = j) 2i / (k + i + j), E_0 = P(no label). With s_k(a) = E[1 / (a + FN of the
    labels after k)], which obeys s_{k-1}(a) = p_k s_k(a + 1) + (1 - p_k) s_k(a), this is E_k = sum_i 2i P(TP
    = i) s_k(k + i) (Ye, Chai, Lee, Chieu 2012, "Optimizing F-measures: a tale of two approaches"): K^2 steps,
    all terms positive. Every step treats rows elementwise, so a row's numbers do not depend on the others'.

    Args:
        falling: (K, N), each column a row's probabilities in falling order.
        most: The largest set that is scored, 0 to K.
        count: The largest number of true labels that is reckoned with, on either side of the cut. What is
            left out, the probability of more, is the error at most, and always one below the exact value.

    Returns:
        (most + 1, N).
    """
    rows = falling.shape[1]
    found = _found(falling[:most], count)
    upper = min(most, count)
    # slopes[a - 1] is s_k(a), beginning at k = most.
    slopes = np.zeros((most + upper, rows))
    places = np.arange(1, most + upper + 1)
    for missed, chance in enumerate(_count_distribution(falling[most:], count)):
        slopes += (1 / (places + missed))[:, None] * chance
    expected = np.empty((most + 1, rows))
    twice = 2.0 * np.arange(1, upper + 1)[:, None]
    for k in range(most, 0, -1):
        hits = min(k, count)
        terms = found[k][1:] * slopes[k : k + hits]
        terms *= twice[:hits]
        expected[k] = terms.sum(axis=0)
        top = k - 1 + min(k - 1, count)
        rise = slopes[1 : top + 1] - slopes[:top]
        rise *= falling[k - 1]
        slopes[:top] += rise
    nothing = np.ones(rows)
    for p in falling:
        nothing *= 1 - p
    expected[0] = nothing
    return expected


def _found(falling: Floats, count: int) -> list[Floats]:
    """P(TP = i) among the first k labels, (min(k, count) + 1, N) for each k."""
    steps = [np.ones((1, falling.shape[1]))]
    for k, p in enumerate(falling, start=1):
        before = steps[-1]
        after = np.empty((min(k, count) + 1, len(p)))
        after[: len(before)] = before * (1 - p)
        if len(after) > len(before):
            after[-1] = before[-1] * p
        after[1 : len(before)] += before[:-1] * p
        steps.append(after)
    return steps


def _count_distribution(probs: Floats, count: int) -> Floats:
    """P(S = j) of the number S of labels that are there, j up to `count`, (min(K, count) + 1, N)."""
    size = min(len(probs), count) + 1
    chances = np.zeros((size, probs.shape[1]))
    chances[0] = 1
    for k, p in enumerate(probs, start=1):
        top = min(k + 1, size)
        moved = chances[: top - 1] * p
        chances[:top] *= 1 - p
        chances[1:top] += moved
    return chances
