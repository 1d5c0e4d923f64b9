/**
 * Components that come over the network: when they are first shown, or as soon as somebody asks for them. One that
 * is there is shown at once; React's own way makes each wait, and shows what has waited a third of a second later.
 * And one that did not come can be asked for again, which React's own way never does.
 */

import { type ComponentType, createElement, type ReactNode, use } from "react";

export interface Late<Props> {
  (props: Props): ReactNode;
  /** Load it, without showing it. */
  ask(): void;
}

/** A part of the page has not come; `forget` it, and it is asked for once more. */
export class NotLoaded extends Error {
  readonly forget: () => void;

  constructor(cause: unknown, forget: () => void) {
    super(
      "This part of the page could not be loaded. It comes when the server can be reached, or when you load the page again.",
      { cause },
    );
    this.forget = forget;
  }
}

export function late<Props extends object>(load: () => Promise<ComponentType<Props>>): Late<Props> {
  let component: ComponentType<Props> | null = null;
  let loading: Promise<ComponentType<Props>> | null = null;
  const forget = () => {
    loading = null;
    loadStylesAgain();
  };
  const ask = () => {
    loading ??= load().then(
      (loaded) => {
        component = loaded;
        return loaded;
      },
      (error: unknown) => {
        throw new NotLoaded(error, forget);
      },
    );
    return loading;
  };
  const show = (props: Props) => createElement(component ?? use(ask()), props);
  return Object.assign(show, { ask: () => void ask().catch(forget) });
}

/** The loader takes a style sheet that it has asked for once for one that is there. */
function loadStylesAgain(): void {
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]')) {
    if (link.sheet === null) link.replaceWith(link.cloneNode());
  }
}
