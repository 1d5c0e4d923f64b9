"""How fast is found what was said: 200,000 messages in one room, asked in every way. In this process, on a
real Postgres.

What is said are sentences, comments and lines of code of the packages that are installed here, and Japanese
from a recorded document.
"""

from __future__ import annotations

import ast
import random
import re
import sysconfig
import time
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from domain.aggregate import Event
from domain.limits import CHAT_BYTES
from domain.message import Message, mentioned_in
from infrastructure.postgres.chat_view import ChatView
from infrastructure.postgres.log import PostgresLog
from infrastructure.rebuild import Rebuild
from interfaces.load.traces import read
from projections.chat import ChatFilter
from tests.benchmarks.harness import Machine, percentile, store_alone

MESSAGES: Final = 200_000
BATCH: Final = 2_000
RUNS: Final = 200
PAGE: Final = 50
ROOM: Final = "bench"
USERS: Final = [f"user-{number}" for number in range(100)]
BEGIN: Final = datetime(2024, 11, 23, tzinfo=UTC)

# One message in so many.
JAPANESE: Final = 50
MENTION: Final = 100
REPLY: Final = 10

TRACES: Final = Path(__file__).parents[1] / "traces"


def sentences() -> list[str]:
    """Real ones, each once, in an order that is always the same."""
    found: dict[str, None] = {}
    for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*.py")):
        try:
            source = path.read_text("utf-8")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source)
        except (SyntaxError, UnicodeDecodeError):
            continue
        for text in (*_docstrings(tree), *_comments(source)):
            if 15 <= len(text) <= 1_000 and len(text.encode()) <= CHAT_BYTES and "\0" not in text:
                found[text] = None
    said = list(found)
    random.Random(1).shuffle(said)
    return said


def _docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for sentence in re.split(r"\n\s*\n|(?<=[.!?])\s+", ast.get_docstring(node) or ""):
                yield sentence.strip()


def _comments(source: str) -> Iterator[str]:
    """Comments, and every seventh line of code."""
    for number, line in enumerate(source.splitlines()):
        text = line.strip()
        if text.startswith("#"):
            yield text.lstrip("# ")
        elif number % 7 == 0:
            yield text


def japanese() -> list[str]:
    inserted = "".join(
        component
        for line in read(TRACES / "books-ja.jsonl.gz").lines
        for component in line.op
        if isinstance(component, str)
    )
    return sorted({line.strip() for line in inserted.splitlines() if re.search("[\u3041-\u9fff]{4}", line)})


@dataclass
class Corpus:
    """What was said, and what of it to ask for."""

    texts: list[str]
    japanese: list[str]

    @classmethod
    def make(cls) -> Corpus:
        chooser = random.Random(2)
        plain, foreign = sentences(), japanese()
        texts = []
        for number in range(MESSAGES):
            text = (
                foreign[number // JAPANESE % len(foreign)]
                if number % JAPANESE == 0
                else plain[number % len(plain)]
            )
            texts.append(f"@{chooser.choice(USERS)} {text}" if number % MENTION == 1 else text)
        return cls(texts, foreign)

    def events(self) -> Iterator[list[Event]]:
        """As they are said over two years, in batches."""
        chooser = random.Random(3)
        batch: list[Event] = []
        step = timedelta(days=730) / MESSAGES
        for number, text in enumerate(self.texts):
            message = Message.post(
                ROOM,
                f"m{number}",
                client="bench",
                text=text,
                documents={"main.md": number, f"d{number % 40}.md": 1},
                actor=USERS[min(int(chooser.expovariate(0.08)), len(USERS) - 1)],
                at=BEGIN + number * step,
                mentions=mentioned_in(text),
                reply_to=f"m{chooser.randrange(number)}" if number % REPLY == 9 else None,
            )
            batch += [event for event in message.collect_events() if isinstance(event, Event)]
            if len(batch) == BATCH:
                yield batch
                batch = []
        yield batch

    def queries(self) -> dict[str, Callable[[random.Random], str]]:
        words = Counter(word for text in self.texts for word in set(re.findall(r"[a-z]{4,}", text.lower())))
        common = [word for word, _ in words.most_common(100)]
        rare = sorted(word for word, count in words.items() if 2 <= count <= 10)
        long = [word for word in rare if len(word) >= 7]

        def part(chooser: random.Random) -> str:
            return str(chooser.choice(long)[1:-1])

        def neighbours(chooser: random.Random, count: int) -> list[str]:
            while True:
                said = re.findall(r"[A-Za-z]{2,}(?: [A-Za-z]{2,})+", chooser.choice(self.texts))
                runs = [words for run in said if len(words := str(run).split()) >= count]
                if runs:
                    at = chooser.randrange(len(runs[0]) - count + 1)
                    return runs[0][at : at + count]

        def typo(chooser: random.Random) -> str:
            word = str(chooser.choice(common[20:]))
            at = chooser.randrange(len(word) - 1)
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :] + "z"

        def foreign(chooser: random.Random) -> str:
            run = chooser.choice(re.findall("[\u3041-\u9fff]{4,}", chooser.choice(self.japanese)))
            at = chooser.randrange(len(run) - 2)
            return str(run[at : at + chooser.choice((1, 2, 3))])

        return {
            "one rare word": lambda chooser: chooser.choice(rare),
            "one common word": lambda chooser: chooser.choice(common),
            "two words": lambda chooser: " ".join(neighbours(chooser, 2)[::-1]),
            "two common words": lambda chooser: " ".join(chooser.sample(common, 2)),
            "phrase of three words": lambda chooser: f'"{" ".join(neighbours(chooser, 3))}"',
            "part of a rare word": part,
            "part of a common word": lambda chooser: chooser.choice(common)[:3],
            "code": lambda chooser: chooser.choice(
                ("self._", "->", "x[i]", "__init__(", "!= None", "*args, **kw")
            ),
            "Japanese": foreign,
            "a slip of the finger": typo,
            "nothing": lambda chooser: "".join(chooser.choices("qxzjvkw", k=8)),
        }


async def search(running: Machine) -> dict[str, Any]:
    """Say it all, fold it, and ask."""
    async with store_alone(running) as (database, connection):
        corpus = Corpus.make()
        log = PostgresLog(database, "record")
        for batch in corpus.events():
            if batch:
                await log.append(batch, [None] * len(batch))
        await log.disconnect()
        began = time.perf_counter()
        await Rebuild(database, log, ChatView(database)).run(lambda position, end: None)
        folded = time.perf_counter() - began
        await connection.execute("SET statement_timeout = 0")
        await connection.execute("VACUUM ANALYZE chat_messages")
        figures = {name: await _measure(ask) for name, ask in _questions(ChatView(database), corpus).items()}
        return {"messages": MESSAGES, "fold_events_per_second": round(MESSAGES / folded), "ms": figures}


Question = Callable[[random.Random], Awaitable[Sequence[Any]]]
Choice = Callable[[random.Random], ChatFilter]


def _questions(view: ChatView, corpus: Corpus) -> dict[str, Question]:
    queries = corpus.queries()
    common, rare = queries["one common word"], queries["one rare word"]

    def asked(
        make: Callable[[random.Random], str], choose: Callable[[random.Random], ChatFilter]
    ) -> Question:
        async def ask(chooser: random.Random) -> Sequence[Any]:
            return (await view.search(ROOM, make(chooser), choose(chooser), limit=PAGE)).found

        return ask

    def paged(choose: Choice) -> Question:
        async def ask(chooser: random.Random) -> Sequence[Any]:
            before = chooser.randrange(1_000, MESSAGES)
            return await view.page(ROOM, choose(chooser), before=before, limit=PAGE)

        return ask

    def author(chooser: random.Random) -> ChatFilter:
        return ChatFilter(author=chooser.choice(USERS))

    def month(chooser: random.Random) -> ChatFilter:
        since = BEGIN + timedelta(days=chooser.randrange(700))
        return ChatFilter(since=since, until=since + timedelta(days=30))

    def mentioned(chooser: random.Random) -> ChatFilter:
        return ChatFilter(mentions=chooser.choice(USERS))

    def about(chooser: random.Random) -> ChatFilter:
        return ChatFilter(document=chooser.choice(("main.md", "d7.md", "none.md")))

    def everything(_: random.Random) -> ChatFilter:
        return ChatFilter()

    questions = {name: asked(make, everything) for name, make in queries.items()}
    narrowed: dict[str, Choice] = {"of an author": author, "of a month": month, "mentioning me": mentioned}
    for name, choose in narrowed.items():
        questions[f"a common word {name}"] = asked(common, choose)
        questions[f"a rare word {name}"] = asked(rare, choose)
    pages: dict[str, Choice] = {"": everything, " about a document": about}
    pages |= {f" {name}": choose for name, choose in narrowed.items()}
    questions |= {f"a page{name}": paged(choose) for name, choose in pages.items()}
    return questions


async def _measure(ask: Question) -> dict[str, float]:
    chooser = random.Random(4)
    times = []
    found = 0
    for _ in range(RUNS):
        began = time.perf_counter()
        found += len(await ask(chooser))
        times.append((time.perf_counter() - began) * 1000)
    return {
        "p50": percentile(times, 50),
        "p95": percentile(times, 95),
        "most": round(max(times), 1),
        "found": round(found / RUNS, 1),
    }
