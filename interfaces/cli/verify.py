"""`chronoscribe verify`: whether the logs hold what was appended, all of it, and nothing else."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg

from domain.chain import Checkpoint
from domain.instants import as_datetime
from infrastructure.keys import read_public_keys
from infrastructure.proof.certificates import (
    CERTIFICATE_BYTES_MAX,
    BadCertificate,
    Certified,
    check_certificate,
)
from infrastructure.proof.checkpoints import BadCheckpoint, read_file
from infrastructure.proof.findings import Finding
from infrastructure.proof.proofs import LINE_BYTES_MAX, BadProof, Proved, check_proof
from infrastructure.proof.verify import LOGS, Verdict, verify
from infrastructure.proof.vouching import CHECKPOINTS_FILE
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_store, reading, settings_of
from interfaces.cli.terminal import on_one_line

# Of what was found, so much is printed; the rest is counted.
FINDINGS_SHOWN: Final = 20


def add_to(commands: Any) -> None:
    verify = commands.add_parser("verify", help="prove that history was not altered")
    verify.add_argument(
        "--checkpoints",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="checkpoints that were kept elsewhere (may be given more than once)",
    )
    verify.add_argument(
        "--key",
        metavar="FILE",
        type=Path,
        help="PEM file of the public keys whose checkpoints count (default: of whichever)",
    )
    verify.add_argument(
        "--proof", metavar="FILE", type=Path, help="check a proof file instead, with nothing but the file"
    )
    verify.add_argument(
        "--certificate", metavar="FILE", type=Path, help="check a certificate of erasure instead, likewise"
    )
    verify.add_argument("--workers", metavar="N", type=int, help="processes (default: one for each core)")
    verify.add_argument("--json", action="store_true", help="say it as one JSON object")
    add_data_argument(verify)
    verify.set_defaults(run=_verify)


def _verify(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if given.workers is not None and given.workers < 1:
        raise CommandFailed("--workers is a number above 0", status=2)
    trusted = None if given.key is None else _trusted(given.key)
    if given.proof is not None:
        return check(given.proof, trusted, as_json=given.json)
    if given.certificate is not None:
        return check_erasure(given.certificate, trusted, as_json=given.json)
    return verify_store(
        settings_of(given), given.checkpoints, trusted, workers=given.workers, is_json=given.json
    )


def _trusted(path: Path) -> list[bytes]:
    try:
        return [key.public_bytes_raw() for key in read_public_keys(path)]
    except ValueError as error:
        raise CommandFailed(str(error), status=2) from None


async def verify_store(
    settings: Settings,
    files: Sequence[Path],
    trusted: Sequence[bytes] | None,
    *,
    workers: int | None,
    is_json: bool,
) -> int:
    kept = _kept(settings, files)
    began = time.monotonic()
    async with open_store(settings) as conninfo:
        async with reading(conninfo) as (history, _):
            await history.epoch()  # where there is no log, that is said
        try:
            with progress("verifying") as on_progress:
                verdict = await asyncio.to_thread(
                    verify,
                    conninfo,
                    checkpoints=kept,
                    trusted=trusted,
                    workers=workers,
                    on_progress=on_progress,
                )
        except psycopg.errors.UndefinedTable:
            raise CommandFailed(
                "this database is not up to date; `chronoscribe serve` brings it up"
            ) from None
        except psycopg.Error as error:
            raise CommandFailed(f"the log could not be read to its end: {error}") from None
    seconds = time.monotonic() - began
    if is_json:
        sys.stdout.buffer.write(orjson.dumps(_as_json(verdict), option=orjson.OPT_APPEND_NEWLINE))
    else:
        print("\n".join(report(verdict, seconds)))
    return 0 if verdict.is_sound else 1


def _kept(settings: Settings, files: Sequence[Path]) -> list[Checkpoint]:
    """The checkpoints of the files that are given, and of the one in the data folder."""
    own = settings.home / CHECKPOINTS_FILE
    try:
        chosen = [*files, *([own] if settings.database_url is None and own.exists() else [])]
        return [checkpoint for file in chosen for checkpoint in read_file(file)]
    except BadCheckpoint as error:
        raise CommandFailed(str(error)) from None


def report(verdict: Verdict, seconds: float) -> list[str]:
    """What a person reads."""
    lines = [_log_line(verdict, log) for log in LOGS]
    if verdict.redacted:
        lines.append(f"text was removed from {_count(verdict.redacted, 'event')}, as redactions say")
    if verdict.dropped:
        lines.append(f"{_count(verdict.dropped, 'event')} of old days were let go of, as retention says")
    lines.append(_checkpoint_line(verdict))
    shown = verdict.findings.first[:FINDINGS_SHOWN]
    lines += [_finding_line(finding) for finding in shown]
    if left := verdict.findings.count - len(shown):
        lines.append(f"and {left:,} more")
    events = sum(verdict.events.values())
    rate = f"{events:,} events in {seconds:.1f} s, {events / max(seconds, 0.001):,.0f} a second"
    said = "history is as it was written" if verdict.is_sound else "HISTORY WAS ALTERED"
    return [*lines, f"{said} ({rate})"]


def _log_line(verdict: Verdict, log: str) -> str:
    head = verdict.heads[log]
    where = "" if head is None else f", up to position {head.end - 1:,} with the link {head.link.hex()[:16]}…"
    batches = _count(verdict.batches[log], "batch", "batches")
    return f"{log}: {_count(verdict.events[log], 'event')} in {batches}{where}"


def _checkpoint_line(verdict: Verdict) -> str:
    if not verdict.checkpoints:
        return "no checkpoint vouches for it: if the end of the log was cut off, nothing would tell"
    newest = max(verdict.checkpoints, key=lambda one: one.at)
    count = _count(len(verdict.checkpoints), "checkpoint")
    keys = {one.key.hex()[:16] for one in verdict.checkpoints}
    signed = ", ".join(f"{key}…" for key in sorted(keys))
    last = f"{as_datetime(newest.at):%Y-%m-%d %H:%M:%S} UTC"
    verb = "vouches" if len(verdict.checkpoints) == 1 else "vouch"
    return f"{count} {verb} for it, the last of {last}, signed by {signed}"


def _finding_line(finding: Finding) -> str:
    stream = f" ({finding.stream} at {finding.version})" if finding.stream else ""
    return on_one_line(f"! {finding.log} {finding.position:,} {finding.kind}: {finding.what}{stream}")


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "sound": verdict.is_sound,
        "epoch": verdict.epoch,
        "logs": {
            log: {
                "events": verdict.events[log],
                "batches": verdict.batches[log],
                "position": None if (head := verdict.heads[log]) is None else head.end - 1,
                "link": None if head is None else head.link.hex(),
            }
            for log in LOGS
        },
        "redacted": verdict.redacted,
        "dropped": verdict.dropped,
        "checkpoints": [one.as_json() for one in verdict.checkpoints],
        "found": verdict.findings.count,
        "findings": [finding._asdict() for finding in verdict.findings.first],
    }


# A proof file, and a certificate.


def _refuse(what: str, error: Exception, *, as_json: bool) -> int:
    """Say why the file does not hold; the exit status."""
    told = {"sound": False, "reason": str(error)}
    print(orjson.dumps(told).decode() if as_json else f"{what}: {error}")
    return 1


async def check(path: Path, trusted: Sequence[bytes] | None, *, as_json: bool) -> int:
    try:
        proved = await asyncio.to_thread(_check_file, path, trusted)
    except BadProof as error:
        return _refuse("this proves nothing", error, as_json=as_json)
    if as_json:
        print(orjson.dumps({"sound": True, **proved.range._asdict(), "events": proved.events}).decode())
    else:
        print("\n".join(_proved_lines(proved)))
    return 0


def _check_file(path: Path, trusted: Sequence[bytes] | None) -> Proved:
    with path.open("rb") as file:
        return check_proof(iter(lambda: file.readline(LINE_BYTES_MAX), b""), trusted)


def _proved_lines(proved: Proved) -> list[str]:
    wanted, checkpoint = proved.range, proved.checkpoint
    of = "of all rooms" if wanted.room is None else f"of the room {wanted.room}"
    lines = [
        f"{_count(proved.events, 'event')} {of}, {wanted.log} {wanted.first:,} to {wanted.last:,},"
        " were in the log as they stand here"
    ]
    if proved.redacted:
        lines.append(
            f"of {_count(proved.redacted, 'event')} the text was removed since; who and when is proved"
        )
    when = f"{as_datetime(checkpoint.at):%Y-%m-%d %H:%M:%S} UTC"
    lines.append(f"signed {when} by the key {checkpoint.key.hex()}")
    return lines


async def check_erasure(path: Path, trusted: Sequence[bytes] | None, *, as_json: bool) -> int:
    try:
        certified = await asyncio.to_thread(_check_certificate, path, trusted)
    except BadCertificate as error:
        return _refuse("this certifies nothing", error, as_json=as_json)
    if as_json:
        print(orjson.dumps({"sound": True, **certified._asdict(), "key": certified.key.hex()}).decode())
    else:
        print("\n".join(map(on_one_line, _certified_lines(certified))))
    return 0


def _check_certificate(path: Path, trusted: Sequence[bytes] | None) -> Certified:
    with path.open("rb") as file:
        return check_certificate(file.read(CERTIFICATE_BYTES_MAX), trusted)


def _certified_lines(certified: Certified) -> list[str]:
    when = f"{as_datetime(certified.at):%Y-%m-%d %H:%M:%S} UTC"
    return [
        f"all that {certified.user} has written was removed {when} by {certified.by}: {certified.reason}",
        f"{_count(certified.characters, 'character')} in {_count(certified.rooms, 'room')};"
        f" {_count(certified.keys, 'key')} destroyed; position {certified.position:,} of the record says so",
        f"signed by the key {certified.key.hex()}",
    ]
