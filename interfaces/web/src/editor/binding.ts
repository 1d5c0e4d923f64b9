/**
 * Joins a document of the room to a view: what is typed goes to the handle, what others write comes to the view.
 *
 * What others write waits for the next frame, so that forty edits in a second are drawn as often as the screen
 * is; `pending` is what makes the handle's text from the view's. What is typed meanwhile is of the view's text:
 * it is mapped over `pending` on its way to the handle, and `pending` over it, with the rule that the pending
 * one is the first of two at one place. Nothing has to be flushed for that, and the two texts come together
 * (pending ∘ typed/pending = typed ∘ pending/typed; see ChangeDesc.map of CodeMirror).
 */

import type { DocumentHandle, TextChanged } from "@chronoscribe/client";
import { Annotation, ChangeSet, type EditorState, type Extension, Transaction } from "@codemirror/state";
import { type EditorView, type PluginValue, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { difference } from "./difference.ts";
import { flash } from "./flash.ts";
import { setRemoteCursors } from "./remoteCursors.ts";
import { Touched } from "./touched.ts";
import { changesOf } from "./wellFormed.ts";

/** On a transaction that brings what others did, or what the server did for us. */
export const remote = Annotation.define<true>();

/** A hidden page draws no frames, but its text must not grow old. */
const HIDDEN_FLUSH_MS = 200;
/** Text that others change in the line where a word is being composed waits this long for its end. */
const COMPOSING_MS = 4_000;
/** A sign of typing is renewed no more often; the client tells it to others as often as they need it. */
const TYPING_AGAIN_MS = 1_000;
const TYPING_OVER_MS = 3_500;
/** The two texts are compared when nothing has changed for so long: it costs a whole text. */
const QUIET_MS = 2_000;

export interface BindingOptions {
  readonly handle: DocumentHandle;
  /** Whether an undo or redo of ours is on its way: then the cursor goes where the text changes. */
  isTakingBack(): boolean;
  /** Somebody's text has arrived in the view. */
  onChangedBy?(user: string): void;
}

class TextBinding implements PluginValue {
  private pending: ChangeSet;
  /** Where the server has taken something back for us, in the handle's text. */
  private takenBackAt: number | null = null;
  private cursorsMoved = true;
  private frame: number | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private heldSince: number | null = null;
  private isLost = false;
  private typedAt = 0;
  private typingOver: ReturnType<typeof setTimeout> | null = null;
  private quiet: ReturnType<typeof setTimeout> | null = null;
  private readonly touched = new Touched();
  private readonly ends: readonly (() => void)[];
  private readonly view: EditorView;
  private readonly options: BindingOptions;

  constructor(view: EditorView, options: BindingOptions) {
    this.view = view;
    this.options = options;
    this.pending = ChangeSet.empty(view.state.doc.length);
    const { handle } = options;
    this.ends = [
      handle.onText((changed) => this.onText(changed)),
      handle.cursors.subscribe(() => {
        this.cursorsMoved = true;
        this.schedule();
      }),
    ];
    this.schedule();
    this.compareLater();
  }

  destroy(): void {
    for (const end of this.ends) end();
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    for (const timer of [this.timer, this.typingOver, this.quiet]) if (timer !== null) clearTimeout(timer);
    this.options.handle.setTyping(false);
    this.options.handle.setCursor(null);
  }

  // ---------------------------------------------------------------- from the view

  update(update: ViewUpdate): void {
    let isTyped = false;
    for (const transaction of update.transactions) {
      this.touched.map(transaction.changes);
      if (transaction.annotation(remote) === true) {
        this.pending = ChangeSet.empty(transaction.newDoc.length);
        this.touched.addOthers(transaction.changes);
      } else if (transaction.docChanged) {
        this.send(transaction);
        isTyped = true;
      }
    }
    if (isTyped) this.tellTyping();
    if (update.docChanged) this.compareLater();
    const isOurs = update.transactions.every((transaction) => transaction.annotation(remote) !== true);
    if (isOurs && (update.selectionSet || isTyped || (update.focusChanged && this.view.hasFocus)))
      this.tellCursor(update.state);
    if (update.focusChanged && !this.view.hasFocus) this.options.handle.setTyping(false);
  }

  private send(transaction: Transaction): void {
    if (this.isLost) return;
    const { handle } = this.options;
    const { changes, startState } = transaction;
    const isInStep = this.pending.empty;
    const mapped = isInStep ? changes : changes.map(this.pending);
    const before = isInStep ? startState.doc : this.pending.apply(startState.doc);
    try {
      handle.edit(changesOf(mapped, before));
    } catch (error) {
      console.warn("this edit was not possible", error);
      this.lose();
      return;
    }
    this.touched.addOwn(changes);
    if (this.takenBackAt !== null) this.takenBackAt = mapped.mapPos(this.takenBackAt, 1);
    this.pending = isInStep ? ChangeSet.empty(transaction.newDoc.length) : this.pending.map(changes, true);
  }

  private tellCursor(state: EditorState): void {
    if (this.isLost) return;
    const { anchor, head } = state.selection.main;
    this.options.handle.setCursor({
      anchor: this.pending.mapPos(anchor, 1),
      head: this.pending.mapPos(head, 1),
    });
  }

  private tellTyping(): void {
    const { handle } = this.options;
    const now = performance.now();
    if (now - this.typedAt > TYPING_AGAIN_MS) {
      this.typedAt = now;
      handle.setTyping(true);
    }
    if (this.typingOver !== null) clearTimeout(this.typingOver);
    this.typingOver = setTimeout(() => {
      this.typedAt = 0;
      handle.setTyping(false);
    }, TYPING_OVER_MS);
  }

  // ---------------------------------------------------------------- from the room

  private onText(changed: TextChanged): void {
    if (changed.isOwn) {
      if (changed.over !== undefined && changed.over.length > 0) this.showOver();
      return;
    }
    if (this.isLost || changed.changes.length === 0) return;
    try {
      const arrived = ChangeSet.of([...changed.changes], this.pending.newLength, "\n");
      this.pending = this.pending.compose(arrived);
      this.followTakenBack(changed, arrived);
    } catch (error) {
      console.error("a change does not fit the text in the editor", error);
      this.lose();
      return;
    }
    if (changed.user !== null) this.options.onChangedBy?.(changed.user);
    this.schedule();
  }

  private followTakenBack({ cause }: TextChanged, arrived: ChangeSet): void {
    if ((cause === "undo" || cause === "redo") && this.options.isTakingBack())
      this.takenBackAt = firstEnd(arrived);
    else if (this.takenBackAt !== null) this.takenBackAt = arrived.mapPos(this.takenBackAt);
  }

  private schedule(): void {
    if (this.frame !== null || this.timer !== null) return;
    if (document.hidden) {
      this.timer = setTimeout(() => {
        this.timer = null;
        this.flush();
      }, HIDDEN_FLUSH_MS);
    } else {
      this.frame = requestAnimationFrame(() => {
        this.frame = null;
        this.flush();
      });
    }
  }

  private flush(): void {
    if (this.isLost) return;
    if (this.mustHold()) {
      this.schedule();
      return;
    }
    const { view } = this;
    const changes = this.pending;
    const cursors = this.options.handle.cursors.getSnapshot();
    const caret = this.takenBackAt;
    this.takenBackAt = null;
    if (changes.empty && !this.cursorsMoved) return;
    this.cursorsMoved = false;
    view.dispatch({
      changes,
      annotations: [remote.of(true), Transaction.remote.of(true), Transaction.addToHistory.of(false)],
      effects: setRemoteCursors.of(cursors),
      ...(caret === null ? {} : { selection: { anchor: caret }, scrollIntoView: true }),
    });
    if (caret !== null) this.tellCursor(view.state);
  }

  /** A word that is being composed must not be torn by what others do in its line. */
  private mustHold(): boolean {
    const { view } = this;
    if (!view.composing || this.pending.empty) {
      this.heldSince = null;
      return false;
    }
    const line = view.state.doc.lineAt(view.state.selection.main.head);
    if (this.pending.touchesRange(line.from, line.to) === false) return false;
    this.heldSince ??= performance.now();
    return performance.now() - this.heldSince < COMPOSING_MS;
  }

  private showOver(): void {
    const places = this.touched.meeting(this.view.state.doc);
    if (places.length > 0) queueMicrotask(() => flash(this.view, places));
  }

  // ---------------------------------------------------------------- when something went wrong

  /** The texts have parted: take the handle's as soon as the view may be changed. */
  private lose(): void {
    this.isLost = true;
    queueMicrotask(() => this.reload());
  }

  private reload(): void {
    this.isLost = false;
    this.pending = difference(this.view.state.doc.toString(), this.options.handle.text);
    this.heldSince = null;
    this.cursorsMoved = true;
    this.flush();
  }

  private compareLater(): void {
    if (this.quiet !== null) clearTimeout(this.quiet);
    this.quiet = setTimeout(() => {
      this.quiet = null;
      if (!this.pending.empty || this.view.composing) this.compareLater();
      else if (this.view.state.doc.toString() !== this.options.handle.text) {
        console.error("the editor's text was not the document's, and was loaded anew");
        this.reload();
      }
    }, QUIET_MS);
  }
}

/** Where the text goes on behind the first change. */
function firstEnd(changes: ChangeSet): number | null {
  let end: number | null = null;
  changes.iterChangedRanges((_from, _to, _fromAfter, toAfter) => {
    end ??= toAfter;
  });
  return end;
}

export function bindText(options: BindingOptions): Extension {
  return ViewPlugin.define((view) => new TextBinding(view, options));
}
