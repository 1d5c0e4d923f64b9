"""For those who run the server, and for what watches it: is it alive, is it ready, how does it do."""

from __future__ import annotations

from aiohttp import web

from interfaces.http.answers import HealthAnswer, ProjectionAnswer, ReadyAnswer, answer
from interfaces.http.keys import OPERATION
from interfaces.http.problems import problem


async def healthz(request: web.Request) -> web.Response:
    """200 while the process lives."""
    del request
    return answer(HealthAnswer(status="ok"))


async def readyz(request: web.Request) -> web.Response:
    """200 while it takes clients in and can commit. A projection that lags behind is told, and is no reason
    not to be ready: edits do not wait for it.
    """
    operation = request.app[OPERATION]
    if (trouble := operation.trouble()) is not None:
        return problem(503, "E_STORE", trouble)
    found = await operation.projections()
    projections = None if found is None else {name: ProjectionAnswer(**how) for name, how in found.items()}
    return answer(ReadyAnswer(status="ready", position=operation.position, projections=projections))


async def metrics(request: web.Request) -> web.Response:
    """Numbers in Prometheus' text format: no rooms, no names."""
    return web.Response(
        body=request.app[OPERATION].metrics(), headers={"Content-Type": "text/plain; version=0.0.4"}
    )
