/* Texts and ops, in Unicode code points, as everywhere in Chronoscribe. JavaScript's strings count UTF-16: of
   both only this file knows. */
"use strict";

const Texts = (() => {
  // Pieces of a text: small enough to be rebuilt for each key, large enough that a book has a thousand of them.
  const CHUNK = 1024;

  const SURROGATE = /[\ud800-\udfff]/;

  function codePoints(string) {
    if (!SURROGATE.test(string)) return string.length;
    let count = 0;
    for (const _ of string) count += 1;
    return count;
  }

  /* Where in `string` its code point `position` begins, counted from the code point at `from`. */
  function unitsOf(string, position, from = 0) {
    let unit = from;
    for (; position > 0 && unit < string.length; position -= 1) {
      unit += string.codePointAt(unit) > 0xffff ? 2 : 1;
    }
    return unit;
  }

  function sliced(string, start, end) {
    if (!SURROGATE.test(string)) return string.slice(start, end);
    const first = unitsOf(string, start);
    return string.slice(first, unitsOf(string, end - start, first));
  }

  /* A text in pieces. What an op does not touch is shared with the text before it. */
  class Text {
    constructor(chunks) {
      this.chunks = chunks;
      this.length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      this.string = null;
    }

    static of(string) {
      const writer = new Writer();
      writer.write(string);
      return writer.done();
    }

    apply(op) {
      const reader = new Reader(this.chunks);
      const writer = new Writer();
      for (const component of op) {
        if (typeof component === "string") writer.write(component);
        else if (typeof component === "number") reader.copy(component, writer);
        else reader.skip(lengthOf(component));
      }
      reader.copy(Infinity, writer);
      return writer.done();
    }

    slice(start, end) {
      const reader = new Reader(this.chunks);
      const writer = new Writer();
      reader.skip(start);
      reader.copy(end - start, writer);
      return writer.done().toString();
    }

    toString() {
      this.string ??= this.chunks.map((chunk) => chunk.string).join("");
      return this.string;
    }
  }

  /* Walks over chunks once. */
  class Reader {
    constructor(chunks) {
      this.chunks = chunks;
      this.index = 0;
      this.taken = 0; // code points of the chunk at `index`
    }

    copy(length, writer) {
      while (length > 0 && this.index < this.chunks.length) {
        const chunk = this.chunks[this.index];
        const count = Math.min(length, chunk.length - this.taken);
        if (count === chunk.length) writer.share(chunk);
        else writer.write(sliced(chunk.string, this.taken, this.taken + count));
        this.advance(count);
        length -= count;
      }
    }

    skip(length) {
      while (length > 0 && this.index < this.chunks.length) {
        const count = Math.min(length, this.chunks[this.index].length - this.taken);
        this.advance(count);
        length -= count;
      }
    }

    advance(count) {
      this.taken += count;
      if (this.taken === this.chunks[this.index].length) {
        this.index += 1;
        this.taken = 0;
      }
    }
  }

  class Writer {
    constructor() {
      this.chunks = [];
      this.pending = "";
    }

    write(string) {
      this.pending += string;
    }

    share(chunk) {
      if (this.pending && this.pending.length + chunk.string.length <= CHUNK) {
        this.pending += chunk.string; // a text that was edited a lot does not fall to crumbs
        return;
      }
      this.flush();
      this.chunks.push(chunk);
    }

    flush() {
      for (let unit = 0; unit < this.pending.length; ) {
        const end = SURROGATE.test(this.pending) ? unitsOf(this.pending, CHUNK, unit) : unit + CHUNK;
        const string = this.pending.slice(unit, end);
        this.chunks.push({ string, length: codePoints(string) });
        unit = end;
      }
      this.pending = "";
    }

    done() {
      this.flush();
      return new Text(this.chunks);
    }
  }

  // Ops. See domain/text_op.py, which has the same functions.

  /* Code points that a component skips, inserts or deletes. */
  function lengthOf(component) {
    if (typeof component === "number") return component;
    if (typeof component === "string") return codePoints(component);
    return typeof component.d === "number" ? component.d : codePoints(component.d);
  }

  function transformPosition(position, op) {
    let reached = 0;
    for (const component of op) {
      if (reached >= position) break;
      const length = lengthOf(component);
      if (typeof component === "number") {
        reached += length;
      } else if (typeof component === "string") {
        reached += length;
        position += length;
      } else {
        position -= Math.min(length, position - reached);
      }
    }
    return position;
  }

  /* Where the text from `start` to `end` stands after the op; null when none of it is left. */
  function transformRange(start, end, op) {
    let old = 0;
    let fresh = 0;
    let left = null;
    for (const component of [...op, end]) {
      if (old >= end) break;
      const length = lengthOf(component);
      if (typeof component === "string") {
        fresh += length;
      } else if (typeof component === "number") {
        const first = Math.max(old, start);
        const last = Math.min(old + length, end);
        if (first < last) left = [left ? left[0] : fresh + first - old, fresh + last - old];
        old += length;
        fresh += length;
      } else {
        old += length;
      }
    }
    return left;
  }

  /* What an op has done, in places of the text after it: ranges that are new, texts that are gone. */
  function effectOf(op) {
    const effect = { inserted: [], deleted: [], end: 0 };
    let place = 0;
    for (const component of op) {
      const length = lengthOf(component);
      if (typeof component === "object") {
        effect.deleted.push({ at: place, text: typeof component.d === "string" ? component.d : "", length });
      } else {
        if (typeof component === "string") effect.inserted.push([place, place + length]);
        place += length;
      }
    }
    effect.end = place;
    return effect;
  }

  return { Text, codePoints, effectOf, lengthOf, sliced, transformPosition, transformRange };
})();
