/** Finds messages: by words, and by who said them, when, about what, and how others took them. */

import type { ChatMessage } from "@chronoscribe/client";
import { Download, SlidersHorizontal, X } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { Button, Input, SearchField } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { wordsOf } from "../ui/notes.tsx";
import { saveFile } from "../ui/saveFile.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useChatPanel } from "./context.ts";
import { Face, Name } from "./Face.tsx";
import { ANYTHING, type Narrowing, narrowedBy, queryFor } from "./narrowing.ts";
import { SearchFilters } from "./SearchFilters.tsx";
import { When } from "./When.tsx";

/** While somebody types, the server is asked when they pause. */
const PAUSE_MS = 250;
const PAGE = 30;

interface Hit extends ChatMessage {
  readonly snippet?: readonly { readonly text: string; readonly match: boolean }[];
}

interface Found {
  readonly hits: readonly Hit[];
  readonly isGuess: boolean;
  /** Brings what follows; null: that was all. */
  readonly more: (() => Promise<Found>) | null;
}

export function SearchMessages({ onClose }: { onClose(): void }) {
  const { room } = useRoom();
  const api = useApi();
  const { me } = useChatPanel();
  const [narrowing, setNarrowing] = useState<Narrowing>(ANYTHING);
  const [showsFilters, setShowsFilters] = useState(false);
  const find = useFind(narrowing);
  const [found, setFound] = useState<Found | null>(null);
  const [why, setWhy] = useState("");
  const filters = narrowedBy(narrowing);
  const isAsked = narrowing.q.trim() !== "" || filters > 0;

  useEffect(() => {
    if (!isAsked) return setFound(null);
    let isWanted = true;
    const timer = setTimeout(() => {
      find()
        .then((result) => {
          if (!isWanted) return;
          setFound(result);
          setWhy("");
        })
        .catch((error: unknown) => isWanted && setWhy(wordsOf(error)));
    }, PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [find, isAsked]);

  const loadMore = async () => {
    try {
      const next = await found?.more?.();
      if (found && next) setFound({ ...next, hits: [...found.hits, ...next.hits] });
    } catch (error) {
      setWhy(wordsOf(error));
    }
  };
  const exportThese = async () => {
    try {
      const query = { ...queryFor(narrowing, me), format: "json" };
      saveFile(await api.file(`/api/rooms/${encodeURIComponent(room)}/messages/export`, query));
    } catch (error) {
      tell(`The messages cannot be exported: ${wordsOf(error)}`);
    }
  };

  return (
    <div className="chat-front">
      <header className="chat-front-head">
        <SearchField
          aria-label="Search messages"
          autoFocus
          value={narrowing.q}
          onChange={(q) => setNarrowing({ ...narrowing, q })}
        >
          <Input placeholder="Words or “a phrase”" maxLength={256} />
          <Button aria-label="Clear">
            <X aria-hidden="true" />
          </Button>
        </SearchField>
        <ToolButton
          label={filters === 0 ? "Narrow the search" : `Narrowed by ${filters}`}
          isPressed={showsFilters}
          className={filters > 0 ? "is-on" : ""}
          onPress={() => setShowsFilters(!showsFilters)}
        >
          <SlidersHorizontal aria-hidden="true" />
        </ToolButton>
        <ToolButton label="Back to the messages" onPress={onClose}>
          <X aria-hidden="true" />
        </ToolButton>
      </header>
      {showsFilters ? <SearchFilters narrowing={narrowing} onChange={setNarrowing} /> : null}
      {filters > 0 && narrowing.q.trim() === "" ? (
        <Button className="react-aria-Button search-export" onPress={() => void exportThese()}>
          <Download aria-hidden="true" /> Export these as JSON
        </Button>
      ) : null}
      <p className="search-said" role="status">
        {why !== "" ? why : isAsked && found !== null ? told(found) : ""}
      </p>
      <ul className="found-list">
        {(found?.hits ?? []).map((hit) => (
          <FoundMessage key={hit.message} hit={hit} />
        ))}
      </ul>
      {found?.more ? (
        <Button className="react-aria-Button search-more" onPress={() => void loadMore()}>
          More
        </Button>
      ) : null}
      {isAsked ? null : <p className="log-note">Find what was said, by words or by who said it and when.</p>}
    </div>
  );
}

function told({ hits, isGuess, more }: Found): string {
  if (hits.length === 0) return "Nothing was found.";
  if (isGuess) return "Nothing has all of that; this looks like it:";
  return more === null ? `${hits.length} found` : `the first ${hits.length}`;
}

function FoundMessage({ hit }: { readonly hit: Hit }) {
  const { jumpTo } = useChatPanel();
  const pieces = hit.snippet ?? [{ text: hit.text, match: false }];
  return (
    <li>
      <Button className="react-aria-Button found" onPress={() => jumpTo(hit.message)}>
        <span className="found-head">
          <Face user={hit.author} />
          <b>
            <Name user={hit.author} />
          </b>
          <When at={hit.posted} />
        </span>
        <span className="found-text" dir="auto">
          {hit.deleted === null ? keyed(pieces) : <i>deleted</i>}
        </span>
      </Button>
    </li>
  );
}

/** A snippet's pieces only change all together: their place is their name. */
function keyed(pieces: readonly { readonly text: string; readonly match: boolean }[]) {
  let at = 0;
  return pieces.map(({ text, match }) => {
    const key = at;
    at += text.length;
    return match ? <mark key={key}>{text}</mark> : <span key={key}>{text}</span>;
  });
}

/** Asks the server: by words the best first, without words the newest. */
function useFind(narrowing: Narrowing): () => Promise<Found> {
  const { room } = useRoom();
  const api = useApi();
  const { me } = useChatPanel();
  return useCallback(() => {
    const q = narrowing.q.trim();
    const path = { room };
    const limits = { ...queryFor(narrowing, me), limit: PAGE };
    const byWords = async (after?: string): Promise<Found> => {
      const query = after === undefined ? { ...limits, q } : { ...limits, q, after };
      const { found, is_guess, next } = await api.data(
        api.raw.GET("/api/rooms/{room}/messages/search", { params: { path, query } }),
      );
      return { hits: found, isGuess: is_guess, more: next === null ? null : () => byWords(next) };
    };
    const newest = async (before?: number): Promise<Found> => {
      const query = before === undefined ? limits : { ...limits, before };
      const { messages, older } = await api.data(
        api.raw.GET("/api/rooms/{room}/messages", { params: { path, query } }),
      );
      const more = older === null ? null : () => newest(older);
      return { hits: messages.toReversed(), isGuess: false, more };
    };
    return q === "" ? newest() : byWords();
  }, [api, room, narrowing, me]);
}
