"""Promise: the judge of Python is the library's settlement: it names by evidence only, and the same for all that hear the
same."""

import pytest

from election_coding import EcodeError
from election_coding._election_coding import Judge


def played(judge: Judge, liars: set[int], lies: set[int]) -> list[str]:
    """One step in which liars give wrong digests of these partitions; returns the words of the turns."""
    words = []
    holders = judge.begin(list(range(5)))
    asked = [(i, worker) for i, list in enumerate(holders) for worker in list]
    send = [(i, list[0]) for i, list in enumerate(holders)]
    while True:
        for i, worker in asked:
            wrong = worker in liars and i in lies
            judge.answer(worker, i, judge.digest(i, b"wrong" if wrong else b"right"))
        for i, worker in send:
            wrong = worker in liars and i in lies
            judge.vector(worker, i, judge.digest(i, b"wrong" if wrong else b"right"))
        turn = judge.next()
        words.append(turn.word)
        if turn.word != "trip":
            if turn.word == "settled":
                assert turn.accepted == [judge.digest(i, b"right") for i in range(5)]
            judge.close(b"decode")
            return words
        asked = [(i, worker) for i, worker, _ in turn.asks]
        send = [*turn.fetches, *((i, worker) for i, worker, vector in turn.asks if vector)]


@pytest.mark.parametrize("liar", range(5))
def test_whoever_lies_is_named_and_nobody_else(liar: int) -> None:
    judge, other = Judge(5, 5, 1, run=b"run"), Judge(5, 5, 1, run=b"run")
    assert played(judge, set(), set()) == ["settled"] == played(other, set(), set())
    assert judge.named == []
    assert played(judge, {liar}, {0, 1, 2, 3, 4}) == played(other, {liar}, {0, 1, 2, 3, 4})
    assert [(worker, step) for worker, step, _ in judge.named] == [(liar, 1)]
    assert judge.state() == other.state(), "judges that hear the same say the same"
    later = Judge(5, 5, 1, run=b"run")
    later.load(judge.state())
    assert later.step == 2 and later.named == judge.named and later.begin(list(range(5))) == judge.begin(list(range(5)))
    assert all(liar not in list for list in later.begin(list(range(5))))


def test_silence_names_nobody() -> None:
    judge = Judge(5, 5, 1)
    holders = judge.begin(list(range(5)))
    for i, list_ in enumerate(holders):
        for worker in list_:
            if worker == 3:
                judge.silent(3)
            else:
                judge.answer(worker, i, judge.digest(i, b"right"))
                judge.available(i, judge.digest(i, b"right"))
    turn = judge.next()
    assert turn.word == "trip" and all(worker != 3 for _, worker, _ in turn.asks) and judge.named == []


def test_what_makes_no_sense_is_refused() -> None:
    for call in (
        lambda: Judge(3, 3, 0),
        lambda: Judge(3, 3, 3),
        lambda: Judge(3, 0, 1),
        lambda: Judge(3, 3, 1).answer(0, 0, bytes(32)),
        lambda: Judge(3, 3, 1).begin([0]),
        lambda: Judge(3, 3, 1).begin([0, 1, 2], [[0, 1]]),
        lambda: Judge(3, 3, 1).begin([0, 1], [[0, 1], [1, 2], [0, 1]]),
        lambda: Judge(3, 3, 1).load("{}"),
        lambda: Judge(4, 3, 1).load(Judge(3, 3, 1).state()),
        lambda: Judge(3, 3, 1, run=b"other").load(Judge(3, 3, 1).state()),
    ):
        with pytest.raises(EcodeError):
            call()
    open_one = Judge(3, 3, 1)
    open_one.begin([0, 1, 2])
    for call in (lambda: open_one.answer(3, 0, bytes(32)), lambda: open_one.answer(0, 3, bytes(32)), open_one.state):
        with pytest.raises(EcodeError):
            call()
    with pytest.raises((EcodeError, ValueError, TypeError)):
        open_one.answer(0, 0, bytes(31))
