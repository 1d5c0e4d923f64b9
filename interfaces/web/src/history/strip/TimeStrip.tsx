/** The whole session on one line: who was here and wrote when, what was named; and where in it one is. */

import type { Replay } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { useMemo, useState } from "react";
import { useHistory } from "../store.ts";
import { Announcement } from "./Announcement.tsx";
import { useDoings } from "./doings.ts";
import { StripButtons } from "./StripButtons.tsx";
import { StripTrack } from "./StripTrack.tsx";
import { signsOf } from "./signs.ts";
import { TimeScale } from "./timeScale.ts";
import { usePastKeys } from "./usePastKeys.ts";
import { useSteering } from "./useSteering.ts";
import { useZoom } from "./useZoom.ts";
import "./strip.css";

export function TimeStrip() {
  const replay = useHistory((state) => state.replay);
  const wide = useHistory((state) => state.wide);
  return replay === null || wide !== null ? null : <Strip replay={replay} />;
}

function Strip({ replay }: { readonly replay: Replay }) {
  const snapshot = useStore(replay);
  const { from, until, at, events, marks, skipIdle } = snapshot;
  const [dragged, setDragged] = useState<number | null>(null);
  const steering = useSteering(replay);
  const doings = useDoings(events, until);
  const signs = useMemo(() => signsOf(marks), [marks]);
  const scale = useMemo(() => {
    const moments = [...doings.said.map((said) => said.at), ...signs.map((sign) => sign.at)];
    const busy = [...doings.writing, ...moments.map((moment) => ({ from: moment, until: moment }))];
    return new TimeScale({ from, until }, busy, skipIdle);
  }, [from, until, doings, signs, skipIdle]);
  const shown = Math.min(until, Math.max(from, dragged ?? at));
  const zoom = useZoom(scale, shown);
  usePastKeys(steering, zoom, signs);
  return (
    <section className="strip" aria-label="Time">
      <StripButtons
        snapshot={snapshot}
        shown={shown}
        signs={signs}
        isDragging={dragged !== null}
        steering={steering}
        zoom={zoom}
      />
      <StripTrack
        scale={scale}
        zoom={zoom}
        doings={doings}
        signs={signs}
        shown={shown}
        isPlaying={snapshot.isPlaying}
        onDrag={(moment) => {
          setDragged(moment);
          if (moment !== null) steering.seek(moment);
        }}
        onSeek={steering.seek}
      />
      <Announcement snapshot={snapshot} />
    </section>
  );
}
