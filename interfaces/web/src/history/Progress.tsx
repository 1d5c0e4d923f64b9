/** How far something long has come, and the button that ends it. */

import { Square } from "lucide-react";
import { Button, ProgressBar } from "react-aria-components";

interface ProgressProps {
  readonly value: number;
  readonly label: string;
  readonly words?: string;
  onStop(): void;
}

export function Progress({ value, label, words, onStop }: ProgressProps) {
  return (
    <div className="progress">
      <ProgressBar value={value} aria-label={label}>
        {({ percentage }) => (
          <>
            <span className="progress-words">
              {words ?? label} <small>{Math.round(percentage ?? 0)} %</small>
            </span>
            <span className="bar">
              <span style={{ inlineSize: `${percentage ?? 0}%` }} />
            </span>
          </>
        )}
      </ProgressBar>
      <Button onPress={onStop}>
        <Square aria-hidden="true" /> Stop
      </Button>
    </div>
  );
}
