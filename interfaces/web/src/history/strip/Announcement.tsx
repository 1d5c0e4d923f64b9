/** Tells a screen reader where one has come to, when the replay rests: not twenty times a second. */

import type { ReplaySnapshot } from "@chronoscribe/client";
import { useEffect, useRef, useState } from "react";
import { timeWithSeconds } from "../../ui/time.ts";
import { useLooks } from "../useLooks.ts";

/** So long nothing may happen before it is told. */
const CALM_MS = 500;

export function Announcement({ snapshot }: { readonly snapshot: ReplaySnapshot }) {
  const looksOf = useLooks();
  const [told, setTold] = useState("");
  const { at, isPlaying, stage } = snapshot;
  const words = useRef("");
  words.current = isPlaying ? "Playing" : `${timeWithSeconds(at)}. ${whatOf(stage, looksOf)}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever the moment is another
  useEffect(() => {
    const timer = setTimeout(() => setTold(words.current), CALM_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, isPlaying ? 0 : at]);
  return (
    <p className="for-ears" role="status">
      {told}
    </p>
  );
}

function whatOf(stage: ReplaySnapshot["stage"], looksOf: ReturnType<typeof useLooks>): string {
  const texts = [...stage.documents.values()].filter(({ listed }) => listed);
  const documents = texts.map(({ document, revision }) => `${document} at revision ${revision}`);
  const people = [...new Set([...stage.people.values()].map(({ user }) => looksOf(user).name))];
  return `${documents.join(", ") || "No document"}. Here: ${people.join(", ") || "nobody"}.`;
}
