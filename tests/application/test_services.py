"""Everything that can be done on a node."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from application.services import Services


def test_what_the_edges_are_given_is_one_value_that_cannot_be_changed() -> None:
    given: dict[str, Any] = {field.name: object() for field in fields(Services)}
    services = Services(**given)
    assert all(getattr(services, name) is value for name, value in given.items())
    with pytest.raises(FrozenInstanceError):
        services.node = "another"  # type: ignore[misc]
