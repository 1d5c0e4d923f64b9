"""How a load run ends when it does not end well."""

from __future__ import annotations


class LoadFailed(Exception):  # noqa: N818
    """The load could not be carried through, or not everybody agrees; the text says why."""
