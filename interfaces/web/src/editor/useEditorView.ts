/** The view of one document: made when there is a text, gone with the component. */

import type { DocumentHandle } from "@chronoscribe/client";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { bindText } from "./binding.ts";
import { type Actions, baseExtensions, completion, parts, wrapping, writing } from "./extensions.ts";
import { isProse, languageExtensions, languageOf } from "./languages.ts";
import { leavePlace, scrollLeft, selectionLeft } from "./places.ts";
import { usePreferences } from "./preferences.ts";
import type { ViewInfoStore } from "./viewInfo.ts";

export interface EditorViewOptions {
  readonly handle: DocumentHandle;
  readonly hasText: boolean;
  readonly mayWrite: boolean;
  readonly actions: Actions;
  readonly info: ViewInfoStore;
  readonly extensions: Extension;
  onChangedBy(user: string): void;
  isTakingBack(): boolean;
}

export function useEditorView(
  host: RefObject<HTMLElement | null>,
  options: EditorViewOptions,
): EditorView | null {
  const { handle, hasText, mayWrite } = options;
  const [view, setView] = useState<EditorView | null>(null);
  const latest = useRef(options);
  latest.current = options;
  const wraps = usePreferences((preferences) => preferences.wraps);
  const size = usePreferences((preferences) => preferences.size);

  useLayoutEffect(() => {
    if (!hasText || host.current === null) return;
    const opened = openView(host.current, handle, latest);
    setView(opened);
    return () => {
      leavePlace(handle, opened);
      opened.destroy();
      setView(null);
    };
  }, [handle, hasText, host]);

  useEffect(() => {
    view?.dispatch({ effects: parts.wrapping.reconfigure(wrapping(wraps)) });
  }, [view, wraps]);

  useEffect(() => {
    view?.dispatch({ effects: parts.writing.reconfigure(writing(mayWrite)) });
  }, [view, mayWrite]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: letters of another size have to be measured again
  useEffect(() => view?.requestMeasure(), [view, size]);

  useEffect(() => {
    if (view === null) return;
    const language = languageOf(handle.document);
    let isOver = false;
    view.dispatch({ effects: parts.completion.reconfigure(completion(isProse(language))) });
    languageExtensions(language, handle.text).then(
      (loaded) => {
        if (!isOver) view.dispatch({ effects: parts.language.reconfigure(loaded) });
      },
      (error) => console.warn("this language could not be loaded; the text has no colours", error),
    );
    return () => {
      isOver = true;
    };
  }, [view, handle]);

  return view;
}

function openView(
  parent: HTMLElement,
  handle: DocumentHandle,
  latest: RefObject<EditorViewOptions>,
): EditorView {
  const { text } = handle;
  const actions: Actions = {
    undo: () => latest.current.actions.undo(),
    redo: () => latest.current.actions.redo(),
    comment: () => latest.current.actions.comment(),
    askWhen: () => latest.current.actions.askWhen(),
    stopFollowing: () => latest.current.actions.stopFollowing(),
  };
  const selection = selectionLeft(handle, text.length);
  const state = EditorState.create({
    doc: text,
    ...(selection === undefined ? {} : { selection }),
    extensions: [
      baseExtensions(handle.document, text, actions),
      bindText({
        handle,
        isTakingBack: () => latest.current.isTakingBack(),
        onChangedBy: (user) => latest.current.onChangedBy(user),
      }),
      latest.current.info.extension,
      latest.current.extensions,
    ],
  });
  const scrollTo = scrollLeft(handle, state);
  const view = new EditorView({ state, parent, ...(scrollTo === undefined ? {} : { scrollTo }) });
  latest.current.info.look(view);
  return view;
}
