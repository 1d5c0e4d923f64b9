"""The TypeScript client's types, made from the server's models: `python -m tests.interfaces.client.generate`.

What is asked and answered over HTTP comes from the OpenAPI description, frames of the socket from the JSON
Schemas of what clients send and of what they are told. Written to `interfaces/client/src/generated`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from interfaces.http.openapi import describe
from interfaces.http.routes import ROUTES
from interfaces.ws.frames import FRAMES
from interfaces.ws.told import FRAMES_TOLD
from tests.interfaces.client.npm import INTERFACES, fetch_npm_packages

GENERATED: Final = INTERFACES / "client" / "src" / "generated"
SECONDS: Final = 120.0

_HEAD: Final = (
    "/* Made from the server's models by tests/interfaces/client/generate.py: not to be changed by hand. */\n"
)


def generate(folder: Path) -> None:
    """Write both files into a folder."""
    fetch_npm_packages()
    with tempfile.TemporaryDirectory() as temporary:
        openapi = Path(temporary) / "openapi.json"
        openapi.write_bytes(describe([route for route in ROUTES if route.is_told]))
        http = _run("openapi-typescript", str(openapi))
        schema = Path(temporary) / "frames.json"
        schema.write_text(json.dumps(_frames()))
        frames = _run("json2ts", "--no-additionalProperties", "--bannerComment", "", "--input", str(schema))
    (folder / "http.ts").write_text(_HEAD + http)
    (folder / "frames.ts").write_text(_HEAD + frames)


def _frames() -> dict[str, Any]:
    """One schema with both directions: `ClientFrame` and `ServerFrame`."""
    definitions: dict[str, Any] = {}
    roots = {}
    adapters: dict[str, TypeAdapter[Any]] = {"ClientFrame": FRAMES, "ServerFrame": FRAMES_TOLD}
    for name, adapter in adapters.items():
        schema = adapter.json_schema(ref_template="#/definitions/{model}")
        for key, value in schema.pop("$defs").items():
            assert definitions.get(key, value) == value, f"two models are called {key}"
            definitions[key] = _plain(value)
        roots[name] = {"oneOf": schema["oneOf"]}
    return {
        "title": "Frames",
        "type": "object",
        "properties": {name: {"$ref": f"#/definitions/{name}"} for name in roots},
        "required": list(roots),
        "additionalProperties": False,
        "definitions": {**definitions, **roots},
    }


def _plain(value: Any) -> Any:
    """Without what a type does not say: titles would make a type of each field."""
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items() if key != "title" or isinstance(held, dict)}
    return [_plain(held) for held in value] if isinstance(value, list) else value


def _run(program: str, *arguments: str) -> str:
    command = [str(INTERFACES / "node_modules" / ".bin" / program), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=INTERFACES
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


if __name__ == "__main__":
    generate(GENERATED)
