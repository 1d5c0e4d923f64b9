"""The search in chat messages, as statements.

Candidates are the newest messages with the words, by an index of words, and the newest in which what is
looked for stands inside of words, by an index of threes of characters. Only those are ranked, so a word that
everybody uses costs no more than another. What is looked for are parameters only, and none is a pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from projections.chat_search import Place, Term

# Of each kind. Nobody looks through more by eye; who would, narrows the time.
CANDIDATES_MAX: Final = 1_000

# What has neither words nor three characters of one is found in the newest messages only: no index helps.
LOOKED_THROUGH: Final = 2_000

# How like what stands there must be to what was meant: "projection" is to "projektion" by 0.57. Less finds
# what nobody means, and takes longer.
SIMILARITY: Final = 0.5

# How much older a message may be that matches e times better.
RECENCY_SECONDS: Final = 30 * 24 * 3600

# What stands inside of a word has no rank; the whole query, letter for letter, is worth one more word.
_SCORE: Final = f"""
ln(0.02 + {{rank}} + CASE WHEN text_key LIKE %(whole)s THEN 0.1 ELSE 0 END)::float8
    + extract(epoch FROM posted_at)::float8 / {RECENCY_SECONDS}"""

SETTINGS: Final = f"SET LOCAL pg_trgm.word_similarity_threshold = {SIMILARITY};"

Statement = tuple[str, dict[str, Any]]
"""A statement and its own parameters."""


def search(columns: str, clauses: Sequence[str], terms: Sequence[Term], behind: Place | None) -> Statement:
    """What finds, behind a place, the messages to which `clauses` apply and in which all `terms` are: rows of
    score and `columns`, the best first, `%(limit)s` of them.
    """
    query, parameters = _query(terms)
    parts = {f"part_{number}": _anywhere(term.key) for number, term in enumerate(terms)}
    parameters |= parts | {"whole": _anywhere(" ".join(term.key for term in terms))}
    everything = [f"text_key LIKE %({name})s" for name in parts]
    literally = [like for like, term in zip(everything, terms, strict=True) if term.is_literal]
    candidates = _candidates(clauses, query, everything, literally, any(term.has_part for term in terms))
    bound = ""
    if behind is not None:
        bound = "WHERE (score, position) < (%(score)s, %(place)s)"
        parameters |= {"score": behind.score, "place": behind.position}
    score = _SCORE.format(rank=f"ts_rank_cd(words, {query})" if query else "0")
    statement = f"""
WITH {candidates},
ranked AS (SELECT {score} AS score, {columns} FROM candidates)
SELECT score, {columns} FROM ranked {bound} ORDER BY score DESC, position DESC LIMIT %(limit)s
"""
    return statement, parameters


def _candidates(
    clauses: Sequence[str], query: str, everything: Sequence[str], literally: Sequence[str], has_part: bool
) -> str:
    """The messages to choose from: those with the words, and if these are not too many already, those in
    which what is looked for stands inside of words.
    """
    whole = _newest([*clauses, f"words @@ ({query})", *literally], CANDIDATES_MAX)
    if query and has_part:
        few = f"(SELECT count(*) FROM whole) < {CANDIDATES_MAX}"
        inside = _newest([*clauses, *everything, f"NOT words @@ ({query})", few], CANDIDATES_MAX)
        return f"whole AS ({whole}), candidates AS (SELECT * FROM whole UNION ALL ({inside}))"
    if query:
        return f"candidates AS ({whole})"
    if has_part:
        return f"candidates AS ({_newest([*clauses, *everything], CANDIDATES_MAX)})"
    newest = _newest(clauses, LOOKED_THROUGH)
    return f"candidates AS (SELECT * FROM ({newest}) AS newest WHERE {' AND '.join(everything)})"


def guess(columns: str, clauses: Sequence[str], terms: Sequence[Term]) -> Statement:
    """What finds messages with something that looks like the `terms`: rows of likeness and `columns`, what
    is most alike first, `%(limit)s` of them.
    """
    statement = f"""
WITH candidates AS (
    SELECT * FROM chat_messages WHERE {" AND ".join(clauses)} AND %(meant)s::text <%% text_key
    LIMIT {CANDIDATES_MAX}),
ranked AS (SELECT word_similarity(%(meant)s, text_key)::float8 AS score, {columns} FROM candidates)
SELECT score, {columns} FROM ranked ORDER BY score DESC, position DESC LIMIT %(limit)s
"""
    return statement, {"meant": " ".join(term.key for term in terms)}


def _query(terms: Sequence[Term]) -> Statement:
    """All words of all terms as a `tsquery`, "" for none."""
    queries, parameters = [], {}
    for number, term in enumerate(terms):
        if term.words:
            make = "plainto_tsquery" if term.is_literal else "phraseto_tsquery"
            queries.append(f"{make}('simple', %(words_{number})s)")
            parameters[f"words_{number}"] = term.words
        for at, character in enumerate(term.beginnings):
            queries.append(f"%(begin_{number}_{at})s::tsquery")
            parameters[f"begin_{number}_{at}"] = f"{character}:*"
    return " && ".join(queries), parameters


def _newest(clauses: Sequence[str], limit: int) -> str:
    return f"SELECT * FROM chat_messages WHERE {' AND '.join(clauses)} ORDER BY position DESC LIMIT {limit}"


def _anywhere(part: str) -> str:
    """A pattern for LIKE that means `part`, wherever it stands."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
