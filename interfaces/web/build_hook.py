"""Builds the page when Chronoscribe is installed, also from a checkout with `pip install -e`.

Only when the sources have changed since; and a wheel or an sdist that has the bundle needs no Node at all.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# By its path: while a package is built nothing of it can be imported.
_BUNDLE = runpy.run_path(str(Path(__file__).with_name("bundle.py")))


class WebBuildHook(BuildHookInterface[Any]):
    """`dependencies` are those of this build, asked for by pip and uv before it."""

    def dependencies(self) -> list[str]:
        needs_node = not self._is_done() and not _BUNDLE["has_node"]()
        return [_BUNDLE["NODE_WHEEL"]] if needs_node else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not self._is_done():
            self._build()
        if version == "standard" and _BUNDLE["is_fresh"]():  # else it is served from the checkout
            build_data["force_include"][str(_BUNDLE["DIST"])] = "interfaces/web/dist"

    def _build(self) -> None:
        try:
            _BUNDLE["build"]()
        except _BUNDLE["BundleFailed"] as failure:
            remedy = f"{_BUNDLE['SKIP']}=1 installs without the page"
            raise SystemExit(f"the page could not be built: {failure}; {remedy}") from None

    def _is_done(self) -> bool:
        return bool(_BUNDLE["is_skipped"]() or _BUNDLE["is_fresh"]())
