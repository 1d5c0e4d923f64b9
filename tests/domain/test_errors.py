"""What is told of what went wrong."""

from __future__ import annotations

import pytest

from domain.errors import ChronoscribeError, ClientError, LostRace, StoreError, Unauthenticated


def leaves(branch: type[ChronoscribeError]) -> list[type[ChronoscribeError]]:
    below = branch.__subclasses__()
    return [leaf for error in below for leaf in leaves(error)] if below else [branch]


@pytest.mark.parametrize("branch", [ClientError, LostRace, StoreError])
def test_every_error_has_a_code(branch: type[ChronoscribeError]) -> None:
    for error in leaves(branch):
        assert error.code.startswith("E_")


def test_who_is_not_known_is_always_told_the_same() -> None:
    first, second = Unauthenticated(), Unauthenticated()
    assert (first.message, first.facts) == (second.message, second.facts)
    assert first.facts == {}
    with pytest.raises(TypeError):
        Unauthenticated("the signature is wrong")  # type: ignore[call-arg]
