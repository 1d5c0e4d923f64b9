/**
 * Components that are loaded by themselves, and can be asked for before they are shown. React makes every lazy
 * component wait, and what waits is shown a third of a second later at the soonest, even when it is there already.
 */

import { type ComponentType, type LazyExoticComponent, lazy } from "react";

interface Module<Props> {
  readonly default: ComponentType<Props>;
}

export interface Early<Props> {
  readonly Component: LazyExoticComponent<ComponentType<Props>>;
  /** Load it, without showing it. */
  ask(): void;
}

export function early<Props>(load: () => Promise<ComponentType<Props>>): Early<Props> {
  let loaded: Module<Props> | null = null;
  const ask = () => {
    load().then(
      (component) => {
        loaded = { default: component };
      },
      () => undefined, // whoever shows it tries again, and says what is wrong
    );
  };
  return {
    ask,
    Component: lazy(() =>
      loaded === null ? load().then((component) => ({ default: component })) : atOnce(loaded),
    ),
  };
}

/** A promise tells what it has a moment later; this one at once. */
function atOnce<T>(value: T): Promise<T> {
  // biome-ignore lint/suspicious/noThenProperty: it stands in for a promise
  return { then: (tell: (value: T) => unknown) => tell(value) } as Promise<T>;
}
