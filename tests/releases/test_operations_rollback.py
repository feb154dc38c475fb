"""The way back: which release it leads to, and that the pointer stays there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases.ledger import GENESIS, Pointer, Reason, Release
from operations.errors import ExitCode, OperationError
from operations.rollback import Choice, RolledBack, choose, step_back
from tests.releases.ledger_table import START, A, B, C, release
from tests.releases.simulated_platform import NEW, NEW_ID, OLD, OLD_ID, WHO, Platform

D = "d" * 64
NOT_MOVED = "the pointer was not moved: every container goes on with what it has"


def history(text: str) -> list[Pointer]:
    """Return the moves that a line tells, newest first: `A B <A` is A, B, a rollback to A; `!A` is a restoration."""
    moves: list[Pointer] = []
    reasons: dict[str, Reason] = {"<": "rollback", "!": "restored"}
    names = {"A": A, "B": B, "C": C, "D": D, "0": GENESIS}
    for word in text.split():
        release_id = names[word[-1]]
        moves.append(
            Pointer(
                sequence=len(moves) + 1,
                release_id=release_id,
                git_commit=word[-1].lower() * 40,
                image_digest="sha256:1",
                publisher="ada",
                moved_at=START + timedelta(minutes=len(moves)),
                reason=reasons.get(word[0], "release"),
                previous_release_id=moves[-1].release_id if moves else GENESIS,
            )
        )
    return moves[::-1]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A B", A),
        ("A B C", B),
        ("A B C <B", A),
        ("A B C <B <A", None),
        ("A B !A", None),
        ("A B C !B", A),
        ("A B C !B D", B),
        ("A B C !B D !B", A),
        ("A B <A B", A),
        ("A B <A C", A),
        ("A B A", B),
        ("A B C <A", None),
        ("A B C <A <C", A),
        ("A !0 B", None),
        ("A !0 B C", B),
        ("A B <0", B),
        ("A B <0 C", B),
        ("A", None),
        ("A A A", None),
        ("!A B", A),
        ("B !A C", A),
    ],
)
def test_one_step_back(text: str, wanted: str | None) -> None:
    """What was bad enough to be left is not chosen; neither is the empty release, which nobody wants by accident."""
    if wanted is None:
        with pytest.raises(OperationError) as caught:
            step_back(history(text))
        assert str(caught.value) == (
            "there is no earlier release to go back to: name one with --to, or go to the empty release with --to"
            " genesis"
        )
    else:
        assert step_back(history(text)) == Choice(wanted, wanted[0] * 40)


@given(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=12))
def test_every_step_leads_further_back(words: list[str]) -> None:
    """As often as it is done, it never comes to a release that it has left, and it ends."""
    moves, left = history(" ".join(words)), list[str]()
    while True:
        try:
            choice = step_back(moves)
        except OperationError:
            break
        assert choice.release_id != moves[0].release_id
        left.append(moves[0].release_id)
        moves = [
            Pointer(
                **vars(moves[0])
                | {
                    "sequence": moves[0].sequence + 1,
                    "release_id": choice.release_id,
                    "git_commit": choice.git_commit,
                    "reason": "rollback",
                }
            ),
            *moves,
        ]
    assert len(left) < len(words)


# Naming a release


RELEASES = [
    release(A),
    release(B),
    release("ab" + "0" * 62, git_commit="c" * 40),
    release(D, state="collected"),
]


def chosen(wanted: str, releases: list[Release] | None = None, moves: str = "") -> Choice:
    return choose(wanted, RELEASES if releases is None else releases, history(moves))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (A, Choice(A, "a" * 40)),
        ("b" * 6, Choice(B, "b" * 40)),
        ("b" * 40, Choice(B, "b" * 40)),
        ("cccccc", Choice("ab" + "0" * 62, "c" * 40)),
        ("genesis", Choice(GENESIS, "")),
    ],
)
def test_names(wanted: str, found: Choice) -> None:
    assert chosen(wanted) == found


def test_a_release_of_several_commits() -> None:
    """The same tree; the pointer says which commit it was last released for, and each of them names it."""
    moves = [Pointer(**vars(move) | {"git_commit": "e" * 40}) for move in history("A")]
    assert choose("aaaaaa", RELEASES, moves).git_commit in {"a" * 40, "e" * 40}
    assert choose(A, RELEASES, moves) == Choice(A, "e" * 40)
    assert choose("eeeeee", RELEASES, moves) == Choice(A, "e" * 40)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("aaaaa", "--to aaaaa: want at least 6 characters of a release id or a commit"),
        ("ffffff", "there is no release and no commit ffffff here: `operations releases` lists them"),
        (
            "dddddd",
            "the release dddddddddddd is no longer on the file system: release its commit dddddddddddd again",
        ),
    ],
)
def test_names_of_nothing(wanted: str, says: str) -> None:
    with pytest.raises(OperationError) as caught:
        chosen(wanted)
    assert str(caught.value) == says


def test_a_name_of_two() -> None:
    two = [release("abcdef1" + "0" * 57), release("abcdef2" + "0" * 57, git_commit="")]
    with pytest.raises(OperationError) as caught:
        chosen("abcdef", two)
    assert str(caught.value) == (
        "abcdef can be any of abcdef100000 (commit aaaaaaaaaaaa), abcdef200000 (commit unknown): name the release by"
        " its id"
    )


# The procedure


@pytest.fixture
def platform() -> Platform:
    """Return a platform that had OLD and has NEW, as number 2."""
    found = Platform()
    found.released_before(OLD)
    found.released_before(NEW)
    return found


def roll_back(platform: Platform, to: str | None = None, **options: Any) -> RolledBack:
    with platform.interrupts:
        return platform.rolling_back(**options).run(WHO, to)


def failure(platform: Platform, to: str | None = None) -> OperationError:
    with pytest.raises(OperationError) as caught:
        roll_back(platform, to)
    return caught.value


def test_a_rollback(platform: Platform) -> None:
    rolled = roll_back(platform)
    document = rolled.document()
    assert [container["standing"] for container in document.pop("containers")] == ["proved"] * 3
    assert document == {
        "result": "rolled back",
        "release_id": OLD_ID,
        "git_commit": "0" * 40,
        "sequence": 3,
        "previous_release_id": NEW_ID,
        "services": {
            "dag-processor": {"running": 1, "proved": 1, "waiting": 0, "mismatch": 0},
            "worker": {"running": 2, "proved": 2, "waiting": 0, "mismatch": 0},
        },
    }
    (last,) = platform.ledger.history(1)
    assert (last.reason, last.publisher, last.image_digest) == ("rollback", WHO.publisher, WHO.image_digest)
    assert platform.ecs.requests == []
    assert platform.printed.getvalue().splitlines()[:2] == [
        f"from {NEW_ID[:12]} (commit 000000000000)",
        f"back to {OLD_ID[:12]} (commit 000000000000)",
    ]
    assert rolled.shown()[1] == (
        f"went back to {OLD_ID[:12]} (commit 000000000000) as number 3: proved by 3 running containers"
    )


def test_to_no_dags_at_all(platform: Platform) -> None:
    rolled = roll_back(platform, "genesis")
    assert platform.current == (3, GENESIS)
    assert "went back to the empty release as number 3: proved by 3 running containers" in rolled.shown()


def test_to_the_current_one(platform: Platform) -> None:
    rolled = roll_back(platform, NEW_ID)
    assert (rolled.document()["result"], platform.current) == ("already current", (2, NEW_ID))
    assert (
        rolled.shown()[1] == f"{NEW_ID[:12]} (commit 000000000000) is current: proved by 3 running containers"
    )


@pytest.mark.parametrize("behaviour", ["silent", "mismatch"])
def test_the_pointer_stays_without_proof(platform: Platform, behaviour: str) -> None:
    """What it left was worse, for all other containers."""
    platform.agents[1].behaviour = behaviour
    error = failure(platform)
    assert str(error).splitlines()[-1] == (
        f"the pointer stays on {OLD_ID[:12]} (number 3): containers that can have it go on with it"
    )
    assert (error.code, error.facts["pointer"]) == (ExitCode.UNPROVED, "moved")
    assert "worker w1" in str(error)
    assert platform.current == (3, OLD_ID)


def test_somebody_else_releases_while_we_wait(platform: Platform) -> None:
    platform.clock.woken.append(lambda: platform.current[0] == 3 and platform.released_before(NEW))
    error = failure(platform)
    assert str(error).splitlines()[-1] == "it stays where they have moved it"
    assert (error.code, error.facts["pointer"]) == (ExitCode.MOVED_BY_OTHERS, "moved by somebody else")
    assert platform.current == (4, NEW_ID)


def test_ctrl_c_while_waiting(platform: Platform) -> None:
    import signal

    def hook(step: str) -> None:
        if step == "before sleep":
            signal.raise_signal(signal.SIGINT)

    platform.hook = hook
    error = failure(platform)
    assert str(error) == (
        "stopped by Ctrl-C\n"
        f"the pointer stays on {OLD_ID[:12]} (number 3): containers that can have it go on with it"
    )
    assert (error.code, platform.current) == (ExitCode.INTERRUPTED, (3, OLD_ID))


def test_ctrl_c_before_anything_moves(platform: Platform) -> None:
    import signal

    def hook(step: str) -> None:
        if step == "before history":
            signal.raise_signal(signal.SIGINT)

    platform.hook = hook
    error = failure(platform)
    assert str(error) == f"stopped by Ctrl-C\n{NOT_MOVED}"
    assert (error.code, platform.current) == (ExitCode.INTERRUPTED, (2, NEW_ID))


def test_nothing_was_ever_released() -> None:
    error = failure(Platform())
    assert str(error) == f"nothing was ever released here: there is nothing to go back from\n{NOT_MOVED}"
    assert (error.code, error.facts["pointer"]) == (ExitCode.FAILED, "not moved")


def test_a_name_that_nobody_knows(platform: Platform) -> None:
    assert str(failure(platform, "ffffff")).endswith(f"`operations releases` lists them\n{NOT_MOVED}")
    assert platform.current == (2, NEW_ID)
