"""Linear and MLP heads, computed by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import gelu, layer_norm

from multitag.heads.linear import Linear
from multitag.heads.mlp import MLP, BatchNorm
from multitag.layers import Dropout
from multitag.types import Encoded, Width


def test_linear_is_w_x_plus_b():
    head = Linear(Width(2), 3).eval()
    head.out.weight.data = torch.tensor([[1.0, 2.0], [0.0, -1.0], [0.5, 0.5]])
    head.out.bias.data = torch.tensor([0.0, 1.0, 2.0])
    assert head(Encoded(torch.tensor([[3.0, 4.0]]))).tolist() == [[11.0, -3.0, 5.5]]


@pytest.mark.parametrize(("activation", "function"), [("gelu", gelu), ("relu", torch.relu)])
def test_mlp_is_layers_of_linear_norm_activation(activation, function):
    torch.manual_seed(0)
    head = MLP(Width(3), 2, hidden=4, layers=2, activation=activation).eval()
    x = torch.randn(5, 3)
    linear = [m for m in head.body if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [(3, 4), (4, 4)]
    hidden = x
    for layer in linear:
        hidden = function(layer_norm(hidden @ layer.weight.T + layer.bias, (4,)))
    assert torch.allclose(head(Encoded(x)), hidden @ head.out.weight.T + head.out.bias, atol=1e-6)


def test_dropout_drops_its_share_of_inputs_and_of_hidden_units():
    head = Linear(Width(1000), 1, dropout=0.25).train()
    torch.manual_seed(0)
    dropped = (head.dropout(torch.ones(20, 1000)) == 0).float().mean()
    assert dropped == pytest.approx(0.25, abs=0.02)
    mlp = MLP(Width(3), 2, dropout=0.2, input_dropout=0.3)
    assert [m.share for m in mlp.body if isinstance(m, Dropout)] == [0.3, 0.2]


def test_architecture_b_of_seed_003_is_three_fully_connected_layers_with_relu():
    torch.manual_seed(0)
    head = MLP(Width(3), 2, hidden=4, layers=2, activation="relu", norm="none", dropout=0.4, input_dropout=0.0)
    kinds = [type(m) for m in head.body]
    assert kinds == [Dropout, *[nn.Linear, nn.ReLU, Dropout] * 2]
    first, second = (m for m in head.body if isinstance(m, nn.Linear))
    x = torch.randn(5, 3)
    hidden = (x @ first.weight.T + first.bias).clamp_min(0)
    hidden = (hidden @ second.weight.T + second.bias).clamp_min(0)
    assert torch.allclose(head.eval()(Encoded(x)), hidden @ head.out.weight.T + head.out.bias, atol=1e-6)


def test_batch_norm_is_over_the_rows_while_training_and_over_all_seen_after():
    torch.manual_seed(0)
    head = MLP(Width(3), 2, hidden=4, norm="batch", dropout=0.0, input_dropout=0.0)
    linear, norm = head.body[1], head.body[2]
    x = torch.randn(50, 3)
    hidden = x @ linear.weight.T + linear.bias
    scaled = (hidden - hidden.mean(0)) / (hidden.var(0, correction=0) + norm.eps).sqrt()
    assert torch.allclose(head.train()(Encoded(x)), gelu(scaled) @ head.out.weight.T + head.out.bias, atol=1e-5)
    assert norm.running_mean.tolist() == pytest.approx((0.1 * hidden.mean(0)).tolist(), rel=1e-4)


def test_batch_norm_takes_a_last_batch_of_one_row():
    torch.manual_seed(0)
    norm = BatchNorm(4).train()
    norm(torch.randn(50, 4))
    before = norm.running_mean.clone()
    one = torch.randn(1, 4)
    assert torch.equal(norm(one), norm.eval()(one))
    assert torch.equal(norm.running_mean, before)
