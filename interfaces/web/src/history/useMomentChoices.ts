/** The moments of a document that one may mean, in words: now, named versions, when one was last here, … */

import type { Api, Room } from "@chronoscribe/client";
import { ago, dayOf, timeOfDay } from "../ui/time.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { asTime, momentOf } from "./momentWords.ts";
import { useAnswer } from "./useAnswer.ts";
import { type Version, versionsOf } from "./versions.ts";

export interface MomentChoice {
  /** As the server reads it. */
  readonly moment: string;
  readonly words: string;
  readonly detail: string;
}

const NOW: MomentChoice = { moment: "now", words: "Now", detail: "" };
const VISIT = "When I was last here";
const BEGINNING: MomentChoice = { moment: "0", words: "The beginning", detail: "" };
/** More is a list in which nothing is found; one can write then. */
const PIECES_OF_WORK = 12;

export interface MomentChoices {
  readonly choices: readonly MomentChoice[];
  /** Whether the server has told of all that there are; or will not. */
  readonly isKnown: boolean;
}

export function useMomentChoices(document: string): MomentChoices {
  const room = useRoom();
  const api = useApi();
  const { answer, fault } = useAnswer(
    () => Promise.all([versionsOf(api, room, document), lastVisit(api, room)]),
    [room, api, document],
  );
  const [versions, visit] = answer ?? [[], null];
  const named = versions.flatMap(choicesOf).filter(({ moment }) => moment !== BEGINNING.moment);
  const found = [NOW, ...(visit === null ? [] : [visit]), ...named, BEGINNING];
  // The same moment may have several names; the first one stands for it.
  const choices = [...new Map(found.toReversed().map((choice) => [choice.moment, choice])).values()];
  return { choices: choices.toReversed(), isKnown: answer !== null || fault !== null };
}

/** Since when one looks first: one's last visit, or the beginning. */
export function firstOf(choices: readonly MomentChoice[]): string {
  return choices.find(({ words }) => words === VISIT)?.moment ?? BEGINNING.moment;
}

function choicesOf(version: Version, index: number): MomentChoice[] {
  if (version.kind === "saved") {
    const { name, revision, at } = version;
    const words = name ?? `Saved at ${timeOfDay(at)}`;
    return [{ moment: name === null ? String(revision) : `name:${name}`, words, detail: ago(at) }];
  }
  if (index > PIECES_OF_WORK) return [];
  const words = `Before ${timeOfDay(version.at)}, ${dayOf(version.at)}`;
  return [{ moment: String(version.before), words, detail: `${version.edits} edits came then` }];
}

/** When one was here the last time before this. */
async function lastVisit(api: Api, room: Room): Promise<MomentChoice | null> {
  const user = room.state.getSnapshot().me?.user;
  if (user === undefined) return null;
  const { lines } = await api.data(
    api.raw.GET("/api/rooms/{room}/activity", {
      params: { path: { room: room.room }, query: { user, kind: ["left"], limit: 1 } },
    }),
  );
  const at = lines[0]?.at;
  return at === undefined ? null : { moment: asTime(at), words: VISIT, detail: ago(at) };
}

/** What is meant by words that were picked or written; null for nothing. */
export function momentIn(choices: readonly MomentChoice[], words: string): string | null {
  const named = choices.find((choice) => choice.words === words.trim());
  return named?.moment ?? momentOf(words);
}

/** The other way round. */
export function wordsIn(choices: readonly MomentChoice[], moment: string): string {
  const known = choices.find((choice) => choice.moment === moment);
  if (known !== undefined) return known.words;
  return moment === "now"
    ? NOW.words
    : /^\d+$/.test(moment)
      ? `Revision ${moment}`
      : moment.replace(/^name:/, "");
}
