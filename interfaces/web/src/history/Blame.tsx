/** Who wrote which part of the text; a click on it leads to the moment it was written. */

import { useStore } from "@chronoscribe/client/react";
import { Maximize2, RefreshCw } from "lucide-react";
import { useMemo, useState } from "react";
import { Button, ToggleButton } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { ErrorNote, Nothing } from "../ui/notes.tsx";
import { useRoom } from "../workspace/room.tsx";
import { BlameText } from "./BlameText.tsx";
import { type BlamedText, sharesOf, useBlamed } from "./blamed.ts";
import { Progress } from "./Progress.tsx";
import { pointsAt } from "./points.ts";
import { useHistory } from "./store.ts";
import { useLooks } from "./useLooks.ts";

interface BlameProps {
  readonly document: string;
  /** Null: the present text. */
  readonly revision: number | null;
  readonly isWide?: boolean;
}

export function Blame({ document, revision, isWide = false }: BlameProps) {
  const { blamed, lines, again } = useBlamed(document, revision);
  const widen = useHistory((state) => state.widen);
  const blameOf = useHistory((state) => state.blameOf);
  const [byAge, setByAge] = useState(false);
  const [only, setOnly] = useState<string | null>(null);
  const ask = (at: number) => {
    if (blamed === null) return;
    const position = pointsAt(blamed.text, at);
    useHistory.getState().ask({ document, revision: blamed.revision, position });
  };
  const open = () => {
    blameOf({ document, revision });
    widen("blame");
  };
  return (
    <div className="blame" data-wide={isWide || undefined}>
      {lines.progress !== null ? (
        <Progress value={lines.progress} label="Reading who wrote what" onStop={lines.stop} />
      ) : null}
      {lines.fault !== null ? <ErrorNote error={lines.fault} onRetry={again} /> : null}
      {lines.isStopped && blamed === null ? (
        <p className="moment-do">
          <span className="hint">Stopped.</span> <Button onPress={again}>Go on</Button>
        </p>
      ) : null}
      {blamed === null ? null : (
        <>
          <p className="blame-head">
            <span>
              {document}, revision {blamed.revision}
            </span>
            <Newer document={document} revision={revision} seen={blamed.revision} again={again} />
            <ToggleButton isSelected={byAge} onChange={setByAge}>
              By age
            </ToggleButton>
            {isWide ? null : (
              <ToolButton label="At full width" onPress={open}>
                <Maximize2 aria-hidden="true" />
              </ToolButton>
            )}
          </p>
          {blamed.text === "" ? (
            <Nothing>There is no text.</Nothing>
          ) : (
            <>
              <Shares blamed={blamed} only={only} onOnly={setOnly} />
              <BlameText blamed={blamed} byAge={byAge} only={only} onAsk={ask} />
            </>
          )}
        </>
      )}
    </div>
  );
}

interface NewerProps {
  readonly document: string;
  readonly revision: number | null;
  readonly seen: number;
  again(): void;
}

/** It has been edited since one has looked. */
function Newer({ document, revision, seen, again }: NewerProps) {
  const room = useRoom();
  const present = useStore(room.open(document)).revision;
  if (revision !== null || present <= seen) return null;
  return (
    <ToolButton label="It has been edited since: look again" onPress={again}>
      <RefreshCw aria-hidden="true" />
    </ToolButton>
  );
}

interface SharesProps {
  readonly blamed: BlamedText;
  readonly only: string | null;
  onOnly(user: string | null): void;
}

function Shares({ blamed, only, onOnly }: SharesProps) {
  const looksOf = useLooks();
  const shares = useMemo(() => sharesOf(blamed.spans), [blamed]);
  return (
    <div className="blame-shares">
      <div className="blame-bar" aria-hidden="true">
        {shares.map(({ author, share }) => (
          <span key={author} style={{ flexGrow: share, background: looksOf(author).colour }} />
        ))}
      </div>
      <ul aria-label="Shares of the text">
        {shares.map(({ author, share }) => (
          <li key={author}>
            <ToggleButton
              className="react-aria-ToggleButton blame-person"
              isSelected={only === author}
              onChange={(isOn) => onOnly(isOn ? author : null)}
            >
              <span className="swatch" style={{ background: looksOf(author).colour }} />
              {looksOf(author).name} <small>{share < 1 ? "< 1" : Math.round(share)} %</small>
            </ToggleButton>
          </li>
        ))}
      </ul>
    </div>
  );
}
