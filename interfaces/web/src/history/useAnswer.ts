/** An answer of the server, asked for again when what it depends on changes. */

import { type DependencyList, useCallback, useEffect, useState } from "react";

export interface Answered<T> {
  readonly answer: T | null;
  readonly fault: unknown;
  again(): void;
}

export function useAnswer<T>(ask: () => Promise<T>, on: DependencyList): Answered<T> {
  const [told, setTold] = useState<{ answer: T | null; fault: unknown }>({ answer: null, fault: null });
  const [count, setCount] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller says what it depends on
  useEffect(() => {
    let isWanted = true;
    setTold({ answer: null, fault: null });
    ask().then(
      (answer) => isWanted && setTold({ answer, fault: null }),
      (fault: unknown) => isWanted && setTold({ answer: null, fault }),
    );
    return () => {
      isWanted = false;
    };
  }, [...on, count]);
  const again = useCallback(() => setCount((asked) => asked + 1), []);
  return { ...told, again };
}
