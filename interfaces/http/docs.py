"""`/api/docs`: a page to read the API's description and to try it, with Swagger UI, from this server only.

Of the package that brings Swagger UI only three static files are served; nothing of it is imported.
"""

from __future__ import annotations

import asyncio
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Final

from aiohttp import web

from interfaces.http.keys import DESCRIPTION

_PACKAGE: Final = "swagger_ui"

_TYPES: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}

# Our own: a page without a script in it can forbid all scripts that are not files of this server.
_BEGIN: Final = """
window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "/api/openapi.json",
    dom_id: "#api",
    deepLinking: true,
    persistAuthorization: false,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
});
"""

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chronoscribe API</title>
<link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<div id="api"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/begin.js"></script>
</html>
"""

# Swagger UI sets styles of single elements, and shows images that are part of its style sheet.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# The files change with the package only.
_KEEP_SECONDS: Final = 3600


async def page(request: web.Request) -> web.Response:
    """The page."""
    del request
    return web.Response(text=_PAGE, content_type="text/html", headers={"Content-Security-Policy": _POLICY})


async def file(request: web.Request) -> web.Response:
    """One of its files."""
    name = request.match_info["file"]
    if name == "begin.js":
        return web.Response(text=_BEGIN, content_type="text/javascript")
    if name not in _TYPES:
        raise web.HTTPNotFound
    headers = {"Cache-Control": f"max-age={_KEEP_SECONDS}"}
    return web.Response(body=_read(name), content_type=_TYPES[name], headers=headers)


async def description(request: web.Request) -> web.Response:
    """The API's description, OpenAPI 3.1."""
    text = await asyncio.to_thread(request.app[DESCRIPTION])
    return web.Response(body=text, content_type="application/json")


@lru_cache(maxsize=len(_TYPES))
def _read(name: str) -> bytes:
    found = importlib.util.find_spec(_PACKAGE)
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "static" / name).read_bytes()
