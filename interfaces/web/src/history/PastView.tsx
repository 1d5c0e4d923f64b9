/** The room as it was, in the place of the present text; or a comparison or blame at full width. */

import type { Stage } from "@chronoscribe/client";
import { History, Locate, Undo2, UserRound, X } from "lucide-react";
import { Suspense, useEffect, useState } from "react";
import { Button, ToggleButton } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { late } from "../ui/late.ts";
import { Nothing, Waiting } from "../ui/notes.tsx";
import { dayOf, timeWithSeconds } from "../ui/time.ts";
import { useWorkspace } from "../workspace/store.ts";
import { PastActions } from "./PastActions.tsx";
import { PastFaces } from "./PastFaces.tsx";
import { PastText } from "./PastText.tsx";
import { Subtitle } from "./Subtitle.tsx";
import { useHistory, type Wide } from "./store.ts";
import { useStage } from "./useStage.ts";
import "../editor/editor.css";
import "./history.css";
import "./marks.css";
import "./past.css";

const WideCompare = late(() => import("./WideCompare.tsx").then((m) => m.WideCompare));
const WideBlame = late(() => import("./WideBlame.tsx").then((m) => m.WideBlame));

export function PastView() {
  const wide = useHistory((state) => state.wide);
  return wide === null ? <StageView /> : <WideView wide={wide} />;
}

function WideView({ wide }: { readonly wide: Wide }) {
  const widen = useHistory((state) => state.widen);
  const isTravelling = useHistory((state) => state.replay) !== null;
  return (
    <section className="past" aria-label={wide === "compare" ? "Comparison" : "Who wrote what"}>
      <header className="past-head">
        <History aria-hidden="true" />
        <h2>{wide === "compare" ? "What differs" : "Who wrote what"}</h2>
        <Button className="react-aria-Button primary" onPress={() => widen(null)}>
          {isTravelling ? <X aria-hidden="true" /> : <Undo2 aria-hidden="true" />}
          {isTravelling ? "Close" : "Back to now"}
        </Button>
      </header>
      <Suspense fallback={<Waiting />}>{wide === "compare" ? <WideCompare /> : <WideBlame />}</Suspense>
    </section>
  );
}

function StageView() {
  const { stage, at, status, isPlaying } = useStage();
  const leave = useHistory((state) => state.leave);
  const document = useShownDocument(stage, isPlaying);
  useEffect(() => {
    if (!isPlaying) useHistory.getState().stage(document);
  }, [isPlaying, document]);
  if (stage === null) return <Waiting>Travelling back…</Waiting>;
  return (
    <section className="past" aria-label="The room as it was" data-place={stage.place}>
      <header className="past-head">
        <History aria-hidden="true" />
        <p className="past-when">
          <span className="past-words">You are looking at</span> <strong>{timeWithSeconds(at)}</strong>{" "}
          <small>{status === "offline" ? "waiting for the connection" : dayOf(at)}</small>
        </p>
        {document === null ? null : (
          <PastActions document={document} revision={stage.documents.get(document)!.revision} at={at} />
        )}
        <Button className="react-aria-Button primary" onPress={leave}>
          <Undo2 aria-hidden="true" /> Back to now
        </Button>
      </header>
      <PastTabs stage={stage} shown={document} />
      {document === null ? (
        <Nothing icon={<History />}>There was no document yet.</Nothing>
      ) : (
        <PastText key={document} document={document} stage={stage} isPlaying={isPlaying} />
      )}
      <Subtitle stage={stage} />
    </section>
  );
}

function PastTabs({ stage, shown }: { readonly stage: Stage; readonly shown: string | null }) {
  const { document: chosen, person, follows, show, follow, followPerson } = useHistory();
  const listed = [...stage.documents.values()].filter(({ listed }) => listed);
  const followed = [...stage.people.values()].find(({ user }) => user === person);
  return (
    <div className="past-tabs">
      <nav aria-label="Documents at that moment">
        {listed.map(({ document, revision }) => (
          <Button
            key={document}
            className="react-aria-Button quiet"
            aria-current={document === shown ? "page" : false}
            onPress={() => show(document)}
          >
            <bdi>{document}</bdi> <small title="Revision">{revision}</small>
          </Button>
        ))}
      </nav>
      <PastFaces stage={stage} />
      {followed !== undefined ? (
        <Button className="react-aria-Button quiet" onPress={() => followPerson(null)}>
          <UserRound aria-hidden="true" /> With {followed.name} <X aria-hidden="true" />
        </Button>
      ) : null}
      <ToggleButton
        isSelected={chosen === null && follows}
        onChange={(isOn) => (isOn ? show(null) : shown !== null && show(shown))}
      >
        <Locate aria-hidden="true" /> Follow the writing
      </ToggleButton>
      {follows ? null : (
        <ToolButton label="Keep what is written in sight" onPress={() => follow(true)}>
          <Locate aria-hidden="true" />
        </ToolButton>
      )}
    </div>
  );
}

/** The one that was picked; else that of the person who is followed, or the one that was written in last. */
function useShownDocument(stage: Stage | null, isPlaying: boolean): string | null {
  const chosen = useHistory((state) => state.document);
  const person = useHistory((state) => state.person);
  const active = useWorkspace((state) => state.active);
  const written = useWrittenDocument(stage, active, isPlaying);
  if (stage === null) return null;
  const isListed = (document: string | null | undefined) =>
    document != null && stage.documents.get(document)?.listed === true;
  const followed = [...stage.people.values()].find(({ user, cursor }) => user === person && cursor !== null);
  const first = [...stage.documents.values()].find(({ listed }) => listed)?.document ?? null;
  return [followed?.cursor?.document, chosen, written].find(isListed) ?? first;
}

/** So long (microseconds of the replay) a text stays in front that nobody writes in, while another is written. */
const STAYS = 4_000_000;

/** The document that is written in; where two are, the one that is in front stays there. */
function useWrittenDocument(stage: Stage | null, first: string | null, isPlaying: boolean): string | null {
  const [seen, setSeen] = useState<{ stage: Stage; document: string | null; at: number } | null>(null);
  if (stage !== null && stage !== seen?.stage) {
    const changed = [...stage.documents.values()]
      .filter(({ document, revision, listed }) => {
        const before = seen?.stage.documents.get(document);
        return listed && before !== undefined && before.revision !== revision;
      })
      .map(({ document }) => document);
    const front = seen?.document ?? first;
    const isStill = front !== null && !changed.includes(front);
    // Who goes step by step wants to see each.
    const isStep = seen !== null && !isPlaying && changed.length === 1;
    const isOver = front === null || isStep || (seen !== null && Math.abs(stage.at - seen.at) > STAYS);
    const document = isStill && !isOver ? front : ((isStill || front === null ? changed[0] : front) ?? front);
    const isWritten = document !== null && changed.includes(document);
    setSeen({ stage, document, at: isWritten ? stage.at : (seen?.at ?? stage.at) });
  }
  return seen?.document ?? null;
}
