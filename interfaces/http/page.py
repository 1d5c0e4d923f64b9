"""`/`: the page that people work in, and the files that it is made of.

They are built when Chronoscribe is installed (see `interfaces/web/bundle.py`) and served from there; nothing
is loaded from elsewhere. Every answer with the page in it has a policy of its own that lets no script run but
those files, whatever should get into it.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path
from typing import Final

from aiohttp import web

from interfaces.web.bundle import DIST

# Vite names these by their content.
_KEPT: Final = "public, max-age=31536000, immutable"

# Those that keep their name are asked for again, and answered 304 when they have not changed.
_ASKED_AGAIN: Final = "no-cache"

_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}

# In the page's head, where the build leaves it empty.
_NONCE: Final = 'nonce=""'

_MISSING: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chronoscribe</title>
<h1>Chronoscribe</h1>
<p>The server is running, but its page was not built. Install it without CHRONOSCRIBE_SKIP_WEB.</p>
<p><a href="/api/docs">The HTTP interface</a> is here.</p>
</html>
"""


async def page(request: web.Request) -> web.Response:
    """The page."""
    nonce = secrets.token_urlsafe(16)
    text = _page(DIST).replace(_NONCE, f'nonce="{nonce}"', 1)
    headers = {"Content-Security-Policy": _policy(request, nonce), "Cache-Control": _ASKED_AGAIN}
    return web.Response(text=text, content_type="text/html", headers=headers)


async def file(request: web.Request) -> web.StreamResponse:
    """One of its files beside it: icons, the manifest, the worker that lets it open without a network."""
    name = request.match_info["file"]
    if name == "index.html":
        return await page(request)
    return _file(DIST, name, _ASKED_AGAIN)


async def asset(request: web.Request) -> web.StreamResponse:
    """One of those that are named by their content."""
    return _file(DIST / "assets", request.match_info["file"], _KEPT)


def _policy(request: web.Request, nonce: str) -> str:
    """Scripts are files of ours. Styles as well, but for those that the editor writes, which show the nonce.
    Avatars may be anywhere.
    """
    socket = (
        f"{'wss' if request.scheme == 'https' else 'ws'}://{request.host}"  # 'self' is not enough for Safari
    )
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' https: data: blob:",
            "font-src 'self'",
            f"connect-src 'self' {socket}",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


@lru_cache(maxsize=1)
def _page(dist: Path) -> str:
    try:
        return (dist / "index.html").read_text()
    except FileNotFoundError:
        return _MISSING


def _file(folder: Path, name: str, cache: str) -> web.StreamResponse:
    """A file of the folder itself: a slash may still have come in, as `%2F`."""
    path = folder / name
    content_type = _TYPES.get(path.suffix)
    if content_type is None or path.name != name or not path.is_file():
        raise web.HTTPNotFound
    # A packed neighbour (`.gz`) is sent instead to those who take it.
    return web.FileResponse(path, headers={"Cache-Control": cache, "Content-Type": content_type})
