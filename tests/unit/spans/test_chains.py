"""Chains against every chain there is."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

from multitag.spans.chains import Links, best_path, log_likelihood, log_partition, marginals, path_score

LENGTHS = [4, 1, 3, 2]


@pytest.fixture(params=[2, 3], ids=["two tags", "three tags"])
def case(request):
    torch.manual_seed(request.param)
    size, tags = len(LENGTHS), request.param
    emissions = torch.randn(size, max(LENGTHS), tags, dtype=torch.float64)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    links = Links(*(torch.randn(size, *shape, dtype=torch.float64) for shape in [(tags,), (tags, tags), (tags,)]))
    return emissions, mask, links


def score(emissions, links, row, chain):
    start, moves, end = (part[row] for part in links)
    total = start[chain[0]] + end[chain[-1]] + sum(emissions[row, place, tag] for place, tag in enumerate(chain))
    return float(total + sum(moves[a, b] for a, b in pairwise(chain)))


def every_chain(emissions, links, row):
    tags = range(emissions.shape[2])
    return {chain: score(emissions, links, row, chain) for chain in product(tags, repeat=LENGTHS[row])}


def test_against_every_chain(case):
    emissions, _, links = case
    partition, shares, best = log_partition(*case), marginals(*case), best_path(*case)
    for row, length in enumerate(LENGTHS):
        scores = every_chain(emissions, links, row)
        total = torch.logsumexp(torch.tensor(list(scores.values()), dtype=torch.float64), 0)
        torch.testing.assert_close(partition[row], total)
        assert tuple(best[row, :length].tolist()) == max(scores, key=scores.get)
        for place, tag in product(range(length), range(emissions.shape[2])):
            share = sum((s - total).exp() for chain, s in scores.items() if chain[place] == tag)
            torch.testing.assert_close(shares[row, place, tag], share)
        assert not shares[row, length:].any()
        assert not best[row, length:].any()


def test_the_score_and_likelihood_of_a_chain(case):
    emissions, mask, links = case
    torch.manual_seed(9)
    tags = torch.randint(emissions.shape[2], mask.shape)
    expected = [score(emissions, links, row, tags[row, :n].tolist()) for row, n in enumerate(LENGTHS)]
    torch.testing.assert_close(path_score(*case, tags), torch.tensor(expected, dtype=torch.float64))
    assert (log_likelihood(*case, tags) < 0).all()


def test_what_stands_in_padding_changes_nothing(case):
    emissions, mask, links = case
    other = torch.where(mask.unsqueeze(-1), emissions, 1e6)
    assert torch.equal(log_partition(other, mask, links), log_partition(*case))
    assert torch.equal(marginals(other, mask, links), marginals(*case))
    assert torch.equal(best_path(other, mask, links), best_path(*case))


def test_gradients_flow_and_agree_with_the_marginals(case):
    emissions, mask, links = case
    emissions = emissions.clone().requires_grad_()
    log_partition(emissions, mask, links).sum().backward()
    torch.testing.assert_close(emissions.grad, marginals(*case))


def test_one_set_of_links_serves_all_chains(case):
    emissions, mask, links = case
    one = Links(*(part[:1] for part in links))
    each = Links(*(part[:1].expand(len(LENGTHS), *part.shape[1:]) for part in links))
    assert torch.equal(log_partition(emissions, mask, one), log_partition(emissions, mask, each))
