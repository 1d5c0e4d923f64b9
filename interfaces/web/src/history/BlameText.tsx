/** A text in the colours of who wrote it, with author and time at each line; a click leads to the moment. */

import type { Looks } from "@chronoscribe/client";
import { Compartment, EditorState, type Extension, RangeSetBuilder } from "@codemirror/state";
import { Decoration, EditorView, GutterMarker, gutter, hoverTooltip } from "@codemirror/view";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { ago, dayAndTime, timeOfDay } from "../ui/time.ts";
import type { BlamedSpan, BlamedText } from "./blamed.ts";
import { PersonClasses } from "./personClasses.ts";
import { colourLater, onClickedLetter, readOnly } from "./readOnly.ts";
import { useLooks } from "./useLooks.ts";

/** Shades of age, from the oldest to the newest. */
const AGES = 8;
/** What an author's name may take beside a line. */
const NAME_LETTERS = 9;
const HOVER_MS = 250;

interface BlameTextProps {
  readonly blamed: BlamedText;
  readonly byAge: boolean;
  /** Only what this user wrote is coloured. */
  readonly only: string | null;
  /** At a place in UTF-16. */
  onAsk(at: number): void;
}

interface Drawn {
  readonly view: EditorView;
  readonly classes: PersonClasses;
  readonly colours: Compartment;
}

export function BlameText({ blamed, byAge, only, onAsk }: BlameTextProps) {
  const host = useRef<HTMLDivElement>(null);
  const looksOf = useLooks();
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const ask = useRef(onAsk);
  ask.current = onAsk;
  useLayoutEffect(() => {
    const parent = host.current!;
    const colours = new Compartment();
    const extensions = [
      readOnly(`Who wrote ${blamed.document}`),
      onClickedLetter((at) => ask.current(at)),
      colours.of([]),
    ];
    const view = new EditorView({ parent, state: EditorState.create({ doc: blamed.text, extensions }) });
    colourLater(view, blamed.document, blamed.text);
    setDrawn({ view, classes: new PersonClasses(parent), colours });
    return () => view.destroy();
  }, [blamed]);
  useEffect(() => {
    if (drawn === null) return;
    const { view, classes, colours } = drawn;
    const shown = coloursOf(blamed, view.state, { byAge, only, looksOf, classes });
    view.dispatch({ effects: colours.reconfigure(shown) });
  }, [drawn, blamed, byAge, only, looksOf]);
  return <div className="blame-text" ref={host} />;
}

interface Colouring {
  readonly byAge: boolean;
  readonly only: string | null;
  readonly looksOf: (user: string) => Looks;
  readonly classes: PersonClasses;
}

function coloursOf(blamed: BlamedText, state: EditorState, colouring: Colouring): Extension {
  const { byAge, only, looksOf, classes } = colouring;
  const marks = new RangeSetBuilder<Decoration>();
  const { spans } = blamed;
  const times = spans.map(({ at }) => at);
  const oldest = times.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  const newest = times.reduce((one, other) => Math.max(one, other), 0);
  for (const { from, to, author, at } of spans) {
    if (from >= to || (only !== null && author !== only)) continue;
    const age = Math.floor(((AGES - 1) * (at - oldest)) / Math.max(1, newest - oldest));
    const className = byAge ? `age age-${age}` : classes.classOf(author, looksOf(author).colour);
    marks.add(from, to, Decoration.mark({ class: `blame-span ${className}` }));
  }
  const gutters = new RangeSetBuilder<GutterMarker>();
  let before = "";
  for (const { from, span } of linesOf(blamed, state)) {
    const name = looksOf(span.author).name;
    const key = `${span.author} ${timeOfDay(span.at)}`;
    const words = key === before ? [] : [name.slice(0, NAME_LETTERS), timeOfDay(span.at)];
    before = key;
    gutters.add(from, from, new Author(words, classes.classOf(span.author, looksOf(span.author).colour)));
  }
  const authors = gutters.finish();
  const told = hoverTooltip(
    (_view, place) => {
      const span = spanAt(spans, place);
      if (span === undefined) return null;
      return { pos: span.from, end: span.to, create: () => ({ dom: tipOf(span, looksOf) }) };
    },
    { hoverTime: HOVER_MS },
  );
  return [
    EditorView.decorations.of(marks.finish()),
    gutter({ class: "blame-gutter", markers: () => authors }),
    told,
  ];
}

/** Name and time, or nothing where they are those of the line above. */
class Author extends GutterMarker {
  private readonly words: readonly string[];
  private readonly className: string;

  constructor(words: readonly string[], className: string) {
    super();
    this.words = words;
    this.className = className;
  }

  override eq(other: Author): boolean {
    return other.words.join() === this.words.join() && other.className === this.className;
  }

  override toDOM(): HTMLElement {
    const dom = document.createElement("span");
    dom.className = `blame-author ${this.className}`;
    for (const word of this.words) {
      const part = document.createElement("span");
      part.textContent = word;
      dom.append(part, " ");
    }
    return dom;
  }
}

function tipOf({ author, at, revision, source }: BlamedSpan, looksOf: Colouring["looksOf"]): HTMLElement {
  const dom = document.createElement("div");
  dom.className = "blame-tip";
  const name = document.createElement("strong");
  name.textContent = looksOf(author).name;
  const rest = document.createElement("span");
  const where = source === null ? "" : `, in ${source}`;
  rest.textContent = `${dayAndTime(at)} (${ago(at)}), revision ${revision}${where}`;
  dom.append(name, rest);
  return dom;
}

/** Of each line the newest edit in it. Both lines and spans are in order. */
function* linesOf(
  { spans }: BlamedText,
  { doc }: EditorState,
): Generator<{ readonly from: number; readonly span: BlamedSpan }> {
  let index = 0;
  for (let number = 1; number <= doc.lines; number++) {
    const { from, to } = doc.line(number);
    while (index < spans.length && spans[index]!.to <= from) index += 1;
    let newest: BlamedSpan | null = null;
    for (let each = index; each < spans.length && spans[each]!.from <= to; each++) {
      const span = spans[each]!;
      if (newest === null || span.at > newest.at) newest = span;
    }
    if (newest !== null) yield { from, span: newest };
  }
}

function spanAt(spans: readonly BlamedSpan[], place: number): BlamedSpan | undefined {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle]!.to <= place) low = middle + 1;
    else high = middle;
  }
  return spans[low];
}
