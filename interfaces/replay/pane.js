/* The text in front, with everybody's cursors, what was just written and what was just taken away. */
"use strict";

const Panes = (() => {
  const { codePoints, effectOf, sliced, transformPosition, transformRange } = Texts;
  const { documentsOf, firstBehind, peopleOf } = Recording;
  const { colourOf, find, make, paint, plain, write } = Writing;

  // How long one sees what was written and what was taken away, in milliseconds of looking.
  const INSERTED_MILLISECONDS = 1800;
  const DELETED_MILLISECONDS = 1200;

  // Of a chapter that was taken away its beginning is enough.
  const DELETED_SHOWN = 120;

  /* What was just written and taken away, for as long as one should see it. Ages are milliseconds of looking,
     which stand still while the player is paused. */
  class Traces {
    constructor() {
      this.items = [];
      this.writtenAt = new Map();
    }

    clear() {
      this.items = [];
    }

    take(event, colour, now) {
      const kept = [];
      for (const item of this.items) {
        if (item.document !== event.document) kept.push(item);
        else if (item.isDeleted) kept.push({ ...item, start: transformPosition(item.start, event.op) });
        else {
          const range = transformRange(item.start, item.end, event.op);
          if (range) kept.push({ ...item, start: range[0], end: range[1] });
        }
      }
      const { inserted, deleted } = effectOf(event.op);
      const fresh = { document: event.document, colour, born: now };
      for (const [start, end] of inserted) kept.push({ ...fresh, start, end, isDeleted: false });
      for (const { at, text } of deleted) kept.push({ ...fresh, start: at, end: at, text, isDeleted: true });
      this.items = kept;
      this.writtenAt.set(event.document, now);
    }

    prune(now) {
      const lifeOf = (item) => (item.isDeleted ? DELETED_MILLISECONDS : INSERTED_MILLISECONDS);
      const kept = this.items.filter((item) => now - item.born < lifeOf(item));
      const isChanged = kept.length < this.items.length;
      this.items = kept;
      return isChanged;
    }
  }

  /* The text in front. Only lines that have changed, or have something in them, are touched. */
  class Pane {
    constructor() {
      this.pane = find("pane");
      this.text = find("text");
      this.shown = null;
      this.lines = [];
      this.decorated = new Set();
    }

    show(name, state, traces, player) {
      const told = documentsOf(state).get(name);
      find("nothing").hidden = told !== undefined;
      if (this.shown?.name !== name || this.shown?.text !== told?.text) {
        const isOther = this.shown?.name !== name;
        this.shown = { name, text: told?.text };
        this.relay(told ? told.text.toString() : "", Boolean(told));
        if (isOther) this.pane.scrollTop = 0;
      }
      this.decorate(this.marksOf(name, state, traces, player), player.lookedMilliseconds);
    }

    /* Lay the lines out again: those before the first and behind the last change stay. */
    relay(string, isThere) {
      const fresh = isThere ? string.split("\n") : [];
      const old = this.lines;
      const shorter = Math.min(old.length, fresh.length);
      let head = 0;
      while (head < shorter && old[head].string === fresh[head]) head += 1;
      let tail = 0;
      while (tail < shorter - head && old[old.length - 1 - tail].string === fresh[fresh.length - 1 - tail]) tail += 1;
      for (const line of old.slice(head, old.length - tail)) {
        line.element.remove();
        this.decorated.delete(line);
      }
      const following = tail ? old[old.length - tail].element : null;
      const made = fresh.slice(head, fresh.length - tail).map((part) => this.line(part));
      for (const line of made) this.text.insertBefore(line.element, following);
      this.lines = [...old.slice(0, head), ...made, ...old.slice(old.length - tail)];
      let start = 0;
      for (const line of this.lines) {
        line.start = start;
        start += line.length + 1;
      }
    }

    line(string) {
      const element = make("div", "line");
      write(element, string);
      return { string, length: codePoints(string), start: 0, element };
    }

    indexAt(position) {
      return Math.max(0, firstBehind(this.lines, (line) => line.start > position) - 1);
    }

    /* By line: ranges with a class, and points with something to put in. */
    marksOf(name, state, traces, player) {
      const marks = new Map();
      if (!this.lines.length) return marks;
      const last = this.lines[this.lines.length - 1];
      const length = last.start + last.length;
      for (const item of traces.items) {
        if (item.document !== name) continue;
        if (item.isDeleted) this.addPoint(marks, item.start, { trace: item });
        else this.addRange(marks, item.start, item.end, { trace: item });
      }
      for (const person of peopleOf(state)) {
        const { place } = person;
        if (place?.document !== name) continue;
        const [anchor, head] = [place.anchor, place.head].map((position) => Math.min(position, length));
        const colour = colourOf(person.colour);
        if (anchor !== head) {
          this.addRange(marks, Math.min(anchor, head), Math.max(anchor, head), { selected: colour });
        }
        this.addPoint(marks, head, { caret: person, isNamed: player.isNamed(person.client) });
      }
      return marks;
    }

    of(marks, line) {
      if (!marks.has(line)) marks.set(line, { ranges: [], points: [] });
      return marks.get(line);
    }

    addPoint(marks, position, what) {
      const line = this.lines[this.indexAt(position)];
      this.of(marks, line).points.push({ at: Math.min(position - line.start, line.length), ...what });
    }

    addRange(marks, start, end, what) {
      for (let index = this.indexAt(start); index < this.lines.length; index += 1) {
        const line = this.lines[index];
        if (line.start >= end) break;
        const from = Math.max(0, start - line.start);
        this.of(marks, line).ranges.push({ from, to: Math.min(end - line.start, line.length + 1), ...what });
      }
    }

    decorate(marks, now) {
      for (const line of this.decorated) {
        if (!marks.has(line)) {
          line.element.replaceChildren();
          line.element.classList.remove("touched");
          write(line.element, line.string);
        }
      }
      for (const [line, found] of marks) {
        line.element.replaceChildren(...this.pieces(line, found, now));
        line.element.classList.toggle("touched", found.points.length > 0);
      }
      this.decorated = new Set(marks.keys());
    }

    pieces(line, { ranges, points }, now) {
      const places = new Set([0, line.length]);
      for (const range of ranges) places.add(range.from).add(Math.min(range.to, line.length));
      for (const point of points) places.add(point.at);
      const sorted = [...places].sort((one, other) => one - other);
      const pieces = [];
      sorted.forEach((from, index) => {
        for (const point of points) if (point.at === from) pieces.push(this.point(point, now));
        const to = sorted[index + 1];
        if (to !== undefined) pieces.push(this.piece(line, from, to, ranges, now));
      });
      const over = ranges.find((range) => range.selected && range.to > line.length);
      if (over) pieces.push(this.selection(make("span", "newline"), over.selected));
      return pieces;
    }

    piece(line, from, to, ranges, now) {
      const piece = make("span");
      write(piece, sliced(line.string, from, to));
      for (const range of ranges) {
        if (range.from > from || range.to < to) continue;
        if (range.selected) this.selection(piece, range.selected);
        else this.age(piece, "inserted", range.trace, now);
      }
      return piece;
    }

    selection(element, colour) {
      element.classList.add("selected");
      element.style.setProperty("--selected", colour);
      return element;
    }

    age(element, className, trace, now) {
      element.classList.add(className);
      element.style.setProperty("--age", `${Math.round(trace.born - now)}ms`);
      return paint(element, trace.colour);
    }

    point({ trace, caret, isNamed }, now) {
      if (trace) {
        const gone = this.age(make("del", "deleted"), "deleted", trace, now);
        const isLong = codePoints(trace.text) > DELETED_SHOWN;
        const shown = isLong ? `${sliced(trace.text, 0, DELETED_SHOWN)}…` : trace.text;
        write(gone, shown.replaceAll("\n", "⏎"));
        gone.setAttribute("aria-hidden", "true");
        return gone;
      }
      const name = plain(caret.name);
      const element = paint(make("span", "caret", make("span", "flag", name)), caret.colour);
      element.classList.toggle("resting", !isNamed);
      element.setAttribute("role", "img");
      element.setAttribute("aria-label", `${name} is here`);
      return element;
    }

    /* Keep flags inside, and what goes on in sight. */
    settle(position, isSmooth) {
      const right = this.pane.clientWidth;
      for (const flag of this.text.querySelectorAll(".caret:not(.resting) > .flag")) {
        const caret = flag.parentElement;
        caret.classList.toggle("at-right", caret.offsetLeft + flag.offsetWidth > right - 8);
      }
      if (position === null || !this.lines.length) return;
      const { element } = this.lines[this.indexAt(position)];
      const caret = element.querySelector(".caret");
      const top = element.offsetTop - this.text.offsetTop + (caret ? caret.offsetTop : 0);
      const height = this.pane.clientHeight;
      const isInSight = top > this.pane.scrollTop + height * 0.12 && top < this.pane.scrollTop + height * 0.72;
      const isAtStart = this.pane.scrollTop === 0 && top < height * 0.72;
      if (isInSight || isAtStart) return;
      const wanted = Math.max(0, top - height * 0.4);
      const way = wanted - this.pane.scrollTop;
      this.pane.scrollTop += isSmooth && Math.abs(way) < 3 * height ? Math.sign(way) * Math.ceil(Math.abs(way) * 0.2) : way;
    }
  }

  return { Pane, Traces };
})();
