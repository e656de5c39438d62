"""Linear-chain conditional random fields (Lafferty, McCallum and Pereira 2001) in plain torch, over padded batches.

A chain of T places with S tags scores ``start[y_1] + sum_t emissions[t, y_t] + sum_t moves[y_(t-1), y_t] + end[y_T]``,
and its probability is the exponential of that over the sum for all S^T chains.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Links(NamedTuple):
    """What a chain scores beside its emissions, for B chains, or for all alike (B = 1).

    Attributes:
        start: (B, S), of the first tag.
        moves: (B, S, S), from a tag (rows) to the next.
        end: (B, S), of the last tag.
    """

    start: Tensor
    moves: Tensor
    end: Tensor


def path_score(emissions: Tensor, mask: Tensor, links: Links, tags: Tensor) -> Tensor:
    """The scores (B,) of given chains.

    Args:
        emissions: (B, T, S).
        mask: (B, T), True for places of the chain; each has at least one, the first, and no holes.
        links: The other scores.
        tags: (B, T), any tag where masked.
    """
    starts, moves, ends = _of_batch(links, len(emissions))
    there = mask.to(emissions.dtype)
    chain = torch.arange(len(emissions), device=emissions.device)
    own = (emissions.gather(-1, tags.unsqueeze(-1)).squeeze(-1) * there).sum(1)
    between = moves[chain[:, None], tags[:, :-1], tags[:, 1:]] * there[:, 1:]
    last = tags.gather(1, mask.sum(1, keepdim=True) - 1).squeeze(1)
    return starts[chain, tags[:, 0]] + own + between.sum(1) + ends[chain, last]


def log_partition(emissions: Tensor, mask: Tensor, links: Links) -> Tensor:
    """The logarithm (B,) of the sum over all chains: the forward pass. Arguments as of `path_score`."""
    starts, moves, ends = _of_batch(links, len(emissions))
    alpha = starts + emissions[:, 0]
    for place in range(1, emissions.shape[1]):
        grown = torch.logsumexp(alpha.unsqueeze(2) + moves, dim=1) + emissions[:, place]
        alpha = torch.where(mask[:, place, None], grown, alpha)
    return torch.logsumexp(alpha + ends, dim=1)


def log_likelihood(emissions: Tensor, mask: Tensor, links: Links, tags: Tensor) -> Tensor:
    """The logarithm (B,) of the probability of given chains. Arguments as of `path_score`."""
    return path_score(emissions, mask, links, tags) - log_partition(emissions, mask, links)


def marginals(emissions: Tensor, mask: Tensor, links: Links) -> Tensor:
    """The probability (B, T, S) of each tag at each place, over all chains: forward and backward pass.

    0 where masked. Arguments as of `path_score`.
    """
    starts, moves, ends = _of_batch(links, len(emissions))
    length = emissions.shape[1]
    alpha = [starts + emissions[:, 0]]
    for place in range(1, length):
        grown = torch.logsumexp(alpha[-1].unsqueeze(2) + moves, dim=1) + emissions[:, place]
        alpha.append(torch.where(mask[:, place, None], grown, alpha[-1]))
    beta = [ends]
    for place in range(length - 1, 0, -1):
        back = torch.logsumexp(moves + (emissions[:, place] + beta[-1]).unsqueeze(1), dim=2)
        # Beyond the end of a chain nothing is added: it ends with `ends` at its own last place.
        beta.append(torch.where(mask[:, place, None], back, beta[-1]))
    both = torch.stack(alpha, 1) + torch.stack(beta[::-1], 1)
    return torch.where(mask.unsqueeze(-1), torch.softmax(both, dim=-1), 0.0)


def best_path(emissions: Tensor, mask: Tensor, links: Links) -> Tensor:
    """The likeliest chain (B, T) of tags: the Viterbi pass; 0 where masked. Arguments as of `path_score`."""
    starts, moves, ends = _of_batch(links, len(emissions))
    length, count = emissions.shape[1:]
    alpha = starts + emissions[:, 0]
    backs = []
    stay = torch.arange(count, device=emissions.device).expand(len(emissions), count)
    for place in range(1, length):
        best, back = (alpha.unsqueeze(2) + moves).max(dim=1)
        there = mask[:, place, None]
        alpha = torch.where(there, best + emissions[:, place], alpha)
        backs.append(torch.where(there, back, stay))
    tags = [(alpha + ends).argmax(dim=1)]
    for back in reversed(backs):
        tags.append(back.gather(1, tags[-1].unsqueeze(1)).squeeze(1))
    return torch.where(mask, torch.stack(tags[::-1], 1), 0)


def _of_batch(links: Links, size: int) -> tuple[Tensor, Tensor, Tensor]:
    start, moves, end = links
    return start.expand(size, -1), moves.expand(size, -1, -1), end.expand(size, -1)
