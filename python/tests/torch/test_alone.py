"""Promise: wrong calls are refused in words, metrics are what a logger takes, and a vote of one rank is its own signs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

import election_coding as ec
from election_coding.torch import Audit, CodedSampler, CodedSignSGD, CodedVote, ReactiveVote, Reproducible, Unverified, steps


@pytest.fixture
def alone() -> Iterator[None]:
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


def one_rank() -> ec.Code:
    return ec.design(1, 0, construction="uncoded")


def test_one_ranks_vote_is_its_signs(alone: None, tmp_path: Path) -> None:
    net = model()
    before = [p.detach().clone() for p in net.parameters()]
    optimizer = CodedSignSGD(net.parameters(), lr=0.5, momentum=0.9, code=one_rank())
    for step in steps(optimizer, 1):
        with optimizer.partition(0):
            net(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    for old, new in zip(before, net.parameters()):
        assert torch.allclose(new, old - 0.5), "every gradient is positive"
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(tmp_path))
    for name, value in optimizer.metrics().items():
        writer.add_scalar(name, value, step)
    writer.close()
    assert list(tmp_path.iterdir()) and optimizer.metrics()["vote/step"] == 1
    state = optimizer.state_dict()
    later = CodedSignSGD(net.parameters(), lr=0.5, momentum=0.9, code=one_rank())
    later.load_state_dict(state)
    assert later.step_count == 1 and list(steps(later, 1)) == []
    # The sign of a zero is the parity of step + partition.
    for expected in (-1.0, 1.0):
        later.put(0, torch.zeros(8))
        later.vote.reduce()
        assert all((p.grad == expected).all() for p in net.parameters())


def test_wrong_calls_are_refused(alone: None) -> None:
    net = model()
    vote = CodedVote(net.parameters(), one_rank())
    for call, kind, text in (
        (lambda: CodedVote(net.parameters(), ec.design(5, 1)), ValueError, "5 workers, and there are 1 ranks"),
        (lambda: CodedVote(net.parameters(), one_rank(), "smoke"), ValueError, "pairs"),
        (lambda: CodedVote(net.parameters(), one_rank(), on_excess="hope"), ValueError, "stop"),
        (lambda: CodedVote([], one_rank()), ValueError, "requires a gradient"),
        (lambda: vote.put(1), ValueError, "partitions 0 to 0"),
        (lambda: vote.put(0, torch.zeros(7)), ValueError, "7 numbers, where the parameters have 8"),
        (vote.reduce, RuntimeError, "were not put"),
        (lambda: vote.load_state_dict({"code": "other"}), ValueError, "another code"),
        (lambda: list(steps(vote, 2)), RuntimeError, "was not voted on"),
        (lambda: ReactiveVote(net.parameters(), 1), ec.EcodeError, "b = 1"),
        (lambda: ReactiveVote(net.parameters(), 1, k=2), ValueError, "odd number"),
        (lambda: Audit(net), ValueError, "3 are needed"),
        (lambda: Audit(net, b=0, on_fault="hope"), ValueError, "mask"),
        (lambda: CodedSampler(9, 3, 2).indices(0, 3), ValueError, "partitions 0 to 2"),
    ):
        with pytest.raises(kind) as error:
            call()
        assert text in str(error.value)


def test_an_unverified_vote_stops_or_says_so(alone: None) -> None:
    net = model()
    for exchange in ("pairs", "int8"):
        vote = CodedVote(net.parameters(), one_rank(), exchange, liars=1)
        vote.put(0, torch.ones(8))
        with pytest.raises(Unverified):
            vote.reduce()
        vote = CodedVote(net.parameters(), one_rank(), exchange, liars=1, on_excess="go-on")
        vote.put(0, torch.ones(8))
        vote.reduce()
        assert not vote.verified and vote.metrics()["vote/verified"] == 0.0


def test_a_partition_that_fails_is_not_put(alone: None) -> None:
    net = model()
    vote = CodedVote(net.parameters(), one_rank())
    with pytest.raises(ZeroDivisionError), vote.partition(0):
        raise ZeroDivisionError
    with pytest.raises(RuntimeError, match="were not put"):
        vote.reduce()
    assert isinstance(Reproducible(0, 0, 0).value, int)
