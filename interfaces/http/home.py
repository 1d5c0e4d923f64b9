"""`/`: a page that tells a person that the server runs, what is in it and where to go on. No script in it."""

from __future__ import annotations

from html import escape
from string import Template
from typing import Final

from aiohttp import web

from interfaces.http.keys import DIRECTORY, ENTRANCE, ROOMS

# More rooms than fit a page are for the API.
ROOMS_SHOWN: Final = 50

_PAGE: Final = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chronoscribe</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
  h1 { margin-bottom: 0; } h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
  p.lead { margin-top: .2rem; opacity: .75; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #8884; }
  .number { text-align: right; font-variant-numeric: tabular-nums; }
  code, pre { font: .9em ui-monospace, monospace; background: #8882; border-radius: .3rem; }
  code { padding: .1rem .3rem; }
  pre { padding: .8rem; overflow-x: auto; }
</style>
<h1>Chronoscribe</h1>
<p class="lead">The server is running. Everything that happens in these rooms is an event, and stays.</p>
$rooms
<h2>From a program</h2>
<pre>from interfaces.pyclient.client import Client

async with Client("$url", "demo", name="Ada") as client:
    document = await client.open("welcome.md")
    document.insert(0, "Hello\\n")
    await document.saved()
    await client.post("Look", link=document.link(0, 5))</pre>
<h2>From a terminal</h2>
<pre>chronoscribe log demo -f
chronoscribe show demo welcome.md --revision 1</pre>
<p><a href="/api/docs">the HTTP interface</a> · <a href="/readyz">ready?</a> ·
<a href="/metrics">metrics</a></p>
</html>
""")

_DOCUMENT: Final = Template("""<tr><td>$document</td>
<td class="number">$revision</td><td>$by</td><td>$when</td></tr>""")


async def home(request: web.Request) -> web.Response:
    """The page. Rooms that are open to everyone are shown on one's own machine only."""
    sections = []
    entrance = request.app[ENTRANCE]
    for room in await request.app[ROOMS].of_user("", 0, ROOMS_SHOWN) if entrance.is_development else ():
        rows = [
            _DOCUMENT.substitute(
                room=escape(room.room),
                document=escape(entry.document),
                revision=entry.revision,
                by=escape(entry.modified_by),
                when=f"{entry.modified_at:%Y-%m-%d %H:%M:%S} UTC",
            )
            for entry in await request.app[DIRECTORY].of_room(room.room)
        ]
        sections.append(
            f"<h2>{escape(room.title)} <code>{escape(room.room)}</code></h2>"
            '<table><tr><th>document<th class="number">revision<th>last edit by<th>at</tr>'
            + "".join(rows)
            + "</table>"
        )
    url = f"{request.scheme}://{request.host}"
    return web.Response(
        text=_PAGE.substitute(rooms="".join(sections), url=escape(url)),
        content_type="text/html",
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )
