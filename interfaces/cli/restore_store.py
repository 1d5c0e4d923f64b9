"""`chronoscribe restore FILE`: put a backup into an empty store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from domain.ids import SERVER
from domain.instants import as_datetime
from infrastructure.backup.file import reading
from infrastructure.backup.manifest import Manifest
from infrastructure.backup.restoring import Restoring, manifest_of
from infrastructure.backup.verifying import Compared, verify
from infrastructure.postgres.database import Database
from infrastructure.proof.verify import verify as verify_chain
from infrastructure.settings import Settings
from interfaces.cli.backup import one_bar_each, refusals_told, whoever_we_are
from interfaces.cli.failures import CommandFailed
from interfaces.cli.store import open_store
from interfaces.cli.verify import report as chain_report


async def restore_store(settings: Settings, path: Path, *, is_verifying: bool, actor: str = SERVER) -> int:
    """Returns the exit status: 1 when what was restored is not what was backed up."""
    if not await asyncio.to_thread(path.is_file):
        raise CommandFailed(
            f"there is no backup {path}; to make a document what it was, say"
            " `chronoscribe restore ROOM DOCUMENT`",
            status=2,
        )
    began = time.monotonic()
    with refusals_told(), one_bar_each() as on_step, reading(path, on_step("checking the file")) as archive:
        manifest = manifest_of(archive)
        async with open_store(settings, may_be_new=True) as conninfo:
            database = Database(conninfo)
            await database.open()
            try:
                epoch = await Restoring(database, archive, manifest, on_step).run(
                    by=whoever_we_are(), actor=actor
                )
                on_step("restored")(1, 1)
                print(report(manifest, epoch, time.monotonic() - began))
                if not is_verifying:
                    return 0
                found = await verify(database, manifest, lambda table: on_step(f"comparing {table}"))
            finally:
                await database.close()
            began = time.monotonic()
            chain = await asyncio.to_thread(
                verify_chain, conninfo, on_progress=on_step("verifying the chain")
            )
    for line in (
        *chain_report(chain, time.monotonic() - began),
        *verdict(found, is_sound=chain.is_sound),
    ):
        print(line)
    return 0 if chain.is_sound and all(compared.is_equal for compared in found) else 1


def report(manifest: Manifest, epoch: str, seconds: float) -> str:
    return (
        f"restored what was there on {as_datetime(manifest.at):%Y-%m-%d at %H:%M:%S} UTC:"
        f" {manifest.record.events:,} events of the record, {manifest.presence.events:,} of presence,"
        f" in {seconds:.1f} s\nthis is a new history (epoch {epoch}): clients of the old one are told so"
    )


def verdict(found: Sequence[Compared], *, is_sound: bool) -> Iterator[str]:
    for compared in found:
        if compared.is_equal:
            yield f"  same       {compared.what}: {compared.store}"
        else:
            yield f"  DIFFERENT  {compared.what}: {compared.store}, in the backup {compared.backup}"
    differing = sum(not compared.is_equal for compared in found)
    if differing:
        yield f"NOT EQUAL: {differing} of {len(found)} comparisons differ; do not use this store"
    elif not is_sound:
        yield "EQUAL, BUT ALTERED: what was backed up had been altered before; see above"
    else:
        yield f"EQUAL: the store is what was backed up, row by row ({len(found)} comparisons)"
