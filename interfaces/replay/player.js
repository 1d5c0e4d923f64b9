/* Shows a recording: the half of the player that knows the page.

   The recording comes from strangers. Whatever it holds is put in as text; nothing of it is ever markup, a style
   sheet or an address. Colours are taken when they look like one. */
"use strict";

const Player = (() => {
  const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];

  // How long one sees what was written and what was taken away, in milliseconds of looking.
  const INSERTED_MILLISECONDS = 1800;
  const DELETED_MILLISECONDS = 1200;

  // So long a cursor that has moved shows its name, and a document that is written in keeps to the front.
  const NAMED_MILLISECONDS = 3000;
  const FRONT_MILLISECONDS = 1500;

  // A longer one is not drawn: a tab that was in the background has not been looked at.
  const FRAME_MILLISECONDS = 250;

  // After a jump, of what was done just before it, so much is still to be seen.
  const SEEN_STEPS = 500;

  const JUMP_MILLISECONDS = 10_000;
  const DELETED_SHOWN = 120;
  const LINES_SHOWN = 300;
  const STRIP_ROWS = 6;
  const MARKS_HEIGHT = 16;

  // Half of the slider's thumb: so far its middle stays away from the ends.
  const INSET = 8;

  const SIGNS = {
    joined: { name: "came", shape: "up" },
    left: { name: "left", shape: "down" },
    message: { name: "said something", shape: "dot" },
    saved: { name: "saved", shape: "diamond" },
    named: { name: "named a revision", shape: "diamond" },
    ran: { name: "ran something", shape: "play" },
    restored: { name: "restored", shape: "ring" },
    undone: { name: "undid something", shape: "ring" },
  };

  const find = (id) => document.getElementById(id);

  function make(tag, className = "", ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  // What strangers have written.

  // Controls, and what turns the direction of text: by these a line can be made to look like another.
  const CONTROL = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069])/;

  /* Adds `string` to `parent` as text, with every control character written out; the end of a line of Windows
     is none. */
  function write(parent, string) {
    string.split(CONTROL).forEach((part, index) => {
      if (index % 2 === 0) {
        if (part) parent.append(part);
      } else if (part !== "\r") {
        const code = part.codePointAt(0);
        const shown = code < 32 ? String.fromCodePoint(0x2400 + code) : `U+${code.toString(16).toUpperCase()}`;
        parent.append(make("span", "control", shown));
      }
    });
  }

  const plain = (string) => string.split(CONTROL).filter((_, index) => index % 2 === 0).join("");

  const colourOf = (colour) => (/^#[0-9a-f]{6}$/i.test(colour) ? colour : "#808080");

  /* Black or white, whichever stands out from `colour` (WCAG 2.2). */
  function inkOn(colour) {
    const [red, green, blue] = [1, 3, 5]
      .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
  }

  function paint(element, colour) {
    const good = colourOf(colour);
    element.style.setProperty("--colour", good);
    element.style.setProperty("--on-colour", inkOn(good));
    return element;
  }

  function initialsOf(name) {
    const words = plain(name).trim().split(/\s+/);
    const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0] ?? "?"];
    return letters.map((word) => [...word][0] ?? "").join("").toUpperCase();
  }

  // Times.

  const two = (number) => String(number).padStart(2, "0");

  function clock(microseconds, isWithDay = false) {
    const moment = new Date(microseconds / 1000);
    const time = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(":");
    if (!isWithDay) return time;
    return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${time}`;
  }

  function span(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000);
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    const rest = `${two(minutes)}:${two(seconds % 60)}`;
    return hours ? `${hours}:${rest}` : rest;
  }

  function roughly(microseconds) {
    const seconds = microseconds / 1e6;
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
  }

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
        else if (item.isDeleted) kept.push({ ...item, start: Recording.transformPosition(item.start, event.op) });
        else {
          const range = Recording.transformRange(item.start, item.end, event.op);
          if (range) kept.push({ ...item, start: range[0], end: range[1] });
        }
      }
      const { inserted, deleted } = Recording.effectOf(event.op);
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
      const told = Recording.documentsOf(state).get(name);
      find("nothing").hidden = told !== undefined;
      if (this.shown?.name !== name || this.shown.text !== told?.text) {
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
      return { string, length: Recording.codePoints(string), start: 0, element };
    }

    indexAt(position) {
      return Math.max(0, Recording.firstBehind(this.lines, (line) => line.start > position) - 1);
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
      for (const person of Recording.peopleOf(state)) {
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
      write(piece, Recording.sliced(line.string, from, to));
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
        const isLong = Recording.codePoints(trace.text) > DELETED_SHOWN;
        const shown = isLong ? `${Recording.sliced(trace.text, 0, DELETED_SHOWN)}…` : trace.text;
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

  /* The documents, with who is in each. */
  class Tabs {
    constructor(player) {
      this.player = player;
      this.list = find("tabs");
      this.key = null;
      this.list.addEventListener("keydown", (event) => this.onKey(event));
    }

    show(state, front) {
      const here = Recording.peopleOf(state).map((person) => [person, person.place?.document]);
      const names = [...Recording.documentsOf(state).keys()];
      const key = JSON.stringify([names, front, here.map(([person, name]) => [name, person.colour])]);
      if (key === this.key) return;
      this.key = key;
      const hadFocus = this.list.contains(document.activeElement);
      this.list.replaceChildren(
        ...names.map((name) => {
          const dots = make("span", "dots");
          for (const [person, where] of here) if (where === name) dots.append(paint(make("span", "dot"), person.colour));
          const tab = make("button", "", make("bdi", "", plain(name)), dots);
          tab.type = "button";
          tab.setAttribute("role", "tab");
          tab.setAttribute("aria-selected", String(name === front));
          tab.setAttribute("aria-controls", "pane");
          tab.tabIndex = name === front ? 0 : -1;
          tab.addEventListener("click", () => this.player.pick(name));
          return tab;
        }),
      );
      const selected = this.list.querySelector('[aria-selected="true"]');
      if (hadFocus) selected?.focus();
      if (selected) {
        const end = selected.offsetLeft + selected.offsetWidth - this.list.offsetLeft;
        if (end > this.list.scrollLeft + this.list.clientWidth) this.list.scrollLeft = end - this.list.clientWidth;
        else this.list.scrollLeft = Math.min(this.list.scrollLeft, selected.offsetLeft - this.list.offsetLeft);
      }
    }

    /* As tabs are moved along by keys: the arrows, which elsewhere move through time. */
    onKey(event) {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!way) return;
      const tabs = [...this.list.children];
      const next = tabs[tabs.indexOf(document.activeElement) + way];
      next?.click();
      event.preventDefault();
      event.stopPropagation();
    }
  }

  class People {
    constructor(player) {
      this.player = player;
      this.list = find("people");
      this.key = null;
    }

    show(state, followed) {
      const people = Recording.peopleOf(state).map((person) => ({ person, doing: this.doing(person) }));
      const key = JSON.stringify([followed, people.map(({ person, doing }) => [person.client, person.name, person.colour, doing])]);
      if (key === this.key) return;
      this.key = key;
      find("people-count").textContent = people.length ? String(people.length) : "";
      const items = people.map(({ person, doing }) => this.item(person, doing, followed));
      this.list.replaceChildren(...(items.length ? items : [make("li", "empty", "Nobody is here.")]));
    }

    doing({ typing, place, status }) {
      if (typing === null) return "types a message…";
      if (typing !== undefined) return `types in ${typing}…`;
      return place ? `${status} in ${place.document}` : status;
    }

    item(person, doing, followed) {
      const name = plain(person.name);
      const who = make("span", "who", make("b", "", make("bdi", "", name)), make("span", "doing", doing));
      const button = make("button", "", make("span", "face", initialsOf(name)), who);
      button.firstChild.setAttribute("aria-hidden", "true");
      button.type = "button";
      button.title = `Follow ${name}`;
      button.dataset.status = person.status;
      button.setAttribute("aria-pressed", String(person.client === followed));
      button.addEventListener("click", () => this.player.follow(person.client));
      return make("li", "", paint(button, person.colour));
    }
  }

  class Chat {
    constructor(player) {
      this.player = player;
      this.list = find("chat");
      this.items = new Map();
      this.seen = 0;
      this.none = make("li", "empty", "Nothing has been said.");
    }

    show(state) {
      const isAtEnd = this.list.scrollTop + this.list.clientHeight > this.list.scrollHeight - 40;
      let isChanged = false;
      for (const [id, item] of this.items) {
        if (!state.messages.has(id)) {
          item.element.remove();
          this.items.delete(id);
          isChanged = true;
        }
      }
      let previous = null;
      for (const [id, message] of state.messages) {
        const known = this.items.get(id);
        if (known?.message !== message) {
          const element = this.item(message, previous, state);
          if (known) {
            element.style.animation = "none";
            known.element.replaceWith(element);
          } else this.list.append(element);
          this.items.set(id, { message, element });
          isChanged = true;
        }
        previous = message;
      }
      if (!isChanged) return;
      this.none.remove();
      if (!this.items.size) this.list.append(this.none);
      find("chat-count").textContent = this.items.size ? String(this.items.size) : "";
      if (isAtEnd) this.list.scrollTop = this.list.scrollHeight;
      this.tellUnseen();
    }

    /* On a small screen: how much was said while the text was in front. */
    tellUnseen() {
      if (document.body.dataset.view === "chat") this.seen = this.items.size;
      this.seen = Math.min(this.seen, this.items.size);
      const unseen = this.items.size - this.seen;
      find("unseen").textContent = unseen ? String(unseen) : "";
    }

    item(message, previous, state) {
      const look = this.player.lookOf(message.author, state);
      const time = make("time", "", clock(message.posted).slice(0, 5));
      const from = make("div", "from", make("span", "dot"), make("b", "", make("bdi", "", plain(look.name))), time);
      const element = paint(make("li", "message", from, this.bubble(message, state), this.notes(message, state)), look.colour);
      const isAgain = previous && previous.author === message.author && message.posted - previous.posted < 18e7;
      element.classList.toggle("again", Boolean(isAgain && !message.reply_to));
      return element;
    }

    bubble(message, state) {
      if (message.deleted !== null) return make("div", "bubble gone", "This message was deleted.");
      const bubble = make("div", "bubble");
      if (message.reply_to) {
        const to = state.messages.get(message.reply_to);
        const quote = make("span", "quote");
        if (to) write(quote, `${this.player.lookOf(to.author, state).name}: ${to.deleted === null ? to.text : "…"}`);
        else write(quote, "in reply to an earlier message");
        bubble.append(quote);
      }
      for (const part of message.text.split(/(@[A-Za-z0-9_-]+)/)) {
        const isName = message.mentions.includes(part.slice(1)) && part.startsWith("@");
        if (isName) write(bubble.appendChild(make("b")), `@${this.player.lookOf(part.slice(1), state).name}`);
        else write(bubble, part);
      }
      return bubble;
    }

    notes(message, state) {
      const notes = make("div", "notes");
      for (const [emoji, users] of Object.entries(message.reactions)) {
        const chip = make("span", "chip", `${plain(emoji)} ${users.length}`);
        chip.title = users.map((user) => plain(this.player.lookOf(user, state).name)).join(", ");
        notes.append(chip);
      }
      if (message.link) notes.append(make("span", "", `↗ ${message.link.document}`));
      if (message.pinned !== null) notes.append(make("span", "", "pinned"));
      if (message.edits && message.deleted === null) notes.append(make("span", "", "edited"));
      return notes;
    }
  }

  class Activity {
    constructor(player) {
      this.player = player;
      this.list = find("activity");
      this.first = 0;
      this.behind = 0; // of the last line that is shown
    }

    show(index) {
      const { lines } = this.player.whole;
      const behind = Recording.firstBehind(lines, (line) => line.step > index);
      if (behind === this.behind) return;
      const first = Math.max(0, behind - LINES_SHOWN);
      if (behind > this.behind && this.behind > first) {
        for (const line of lines.slice(this.behind, behind)) this.list.append(this.item(line));
        while (this.list.childElementCount > behind - first) this.list.firstChild.remove();
      } else {
        this.list.replaceChildren(...lines.slice(first, behind).map((line) => this.item(line)));
      }
      this.behind = behind;
      this.list.scrollTop = this.list.scrollHeight;
    }

    item(line) {
      const look = this.player.whole.look(line.user);
      const what = make("span", "what", make("b", "", make("bdi", "", plain(look.name))), " ");
      write(what, line.text.replace(/\s+/g, " "));
      const button = make("button", "", make("time", "", clock(line.at)), make("span", "dot"), what);
      button.type = "button";
      button.title = "Go there";
      button.addEventListener("click", () => this.player.goToStep(line.step));
      return make("li", "", paint(button, look.colour));
    }
  }

  /* The time line: who wrote when, marks, and the slider. */
  class Strip {
    constructor(player) {
      this.player = player;
      this.element = find("strip");
      this.canvas = this.element.querySelector("canvas");
      this.slider = find("slider");
      this.tip = find("tip");
      this.slider.addEventListener("input", () => player.seek(Number(this.slider.value)));
      this.canvas.addEventListener("pointerdown", (event) => {
        this.canvas.setPointerCapture(event.pointerId);
        player.seek(this.placeAt(event));
      });
      this.canvas.addEventListener("pointermove", (event) => {
        if (event.buttons & 1) player.seek(this.placeAt(event));
      });
      this.element.addEventListener("pointermove", (event) => this.tell(event));
      this.element.addEventListener("pointerleave", () => (this.tip.hidden = true));
      new ResizeObserver(() => requestAnimationFrame(() => player.redraw())).observe(this.element);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    }

    placeAt(event) {
      const { left, width } = this.canvas.getBoundingClientRect();
      const part = (event.clientX - left - INSET) / (width - 2 * INSET);
      return Math.min(1, Math.max(0, part)) * this.player.timeLine.length;
    }

    across(place, width) {
      return INSET + (place / (this.player.timeLine.length || 1)) * (width - 2 * INSET);
    }

    show(place) {
      const { length } = this.player.timeLine;
      this.slider.max = String(Math.ceil(length));
      this.slider.value = String(place);
      this.slider.style.setProperty("--part", `${length ? (place / length) * 100 : 100}%`);
      const spoken = `${clock(this.player.timeLine.timeAt(place))}, ${span(place)} of ${span(length)}`;
      this.slider.setAttribute("aria-valuetext", spoken);
    }

    /* Beside the pointer: the time there, and the mark that is near. */
    tell(event) {
      const { whole, timeLine } = this.player;
      const { left, width } = this.element.getBoundingClientRect();
      const place = this.placeAt(event);
      const near = this.marks().filter((found) => Math.abs(found.place - place) < (7 / width) * timeLine.length);
      const told = near.slice(0, 1).map(({ mark }) => ` · ${plain(whole.look(mark.user).name)} ${plain(mark.text)}`);
      this.tip.textContent = `${clock(timeLine.timeAt(place))}${told.join("")}`;
      this.tip.hidden = false;
      const half = this.tip.offsetWidth / 2;
      this.tip.style.left = `${Math.min(width - half, Math.max(half, event.clientX - left))}px`;
    }

    marks() {
      const { whole, timeLine } = this.player;
      return whole.marks
        .filter((mark) => Object.hasOwn(SIGNS, mark.kind))
        .map((mark) => ({ mark, place: timeLine.placeAt(mark.at) }));
    }

    draw() {
      const width = this.element.clientWidth;
      if (!width) return;
      const { whole, timeLine } = this.player;
      const density = [...whole.density(timeLine, Math.max(1, Math.floor((width - 2 * INSET) / 3)))];
      const rows = Math.max(1, Math.min(STRIP_ROWS, density.length));
      const row = rows > 3 ? 7 : 10;
      const height = MARKS_HEIGHT + rows * row + 2;
      const scale = devicePixelRatio || 1;
      this.canvas.width = width * scale;
      this.canvas.height = height * scale;
      this.canvas.style.height = `${height}px`;
      const context = this.canvas.getContext("2d");
      context.scale(scale, scale);
      this.drawBreaks(context, width, height);
      this.drawDensity(context, density, rows, row);
      for (const { mark, place } of this.marks()) {
        const colour = colourOf(whole.look(mark.user).colour);
        drawSign(context, SIGNS[mark.kind].shape, this.across(place, width), colour);
      }
    }

    drawBreaks(context, width, height) {
      const { timeLine } = this.player;
      context.strokeStyle = getComputedStyle(this.element).color;
      context.globalAlpha = 0.25;
      context.setLineDash([2, 3]);
      for (const { place } of timeLine.breaks) {
        const x = Math.round(this.across(place, width)) + 0.5;
        context.beginPath();
        context.moveTo(x, MARKS_HEIGHT);
        context.lineTo(x, height);
        context.stroke();
      }
      context.setLineDash([]);
      context.globalAlpha = 1;
    }

    drawDensity(context, density, rows, row) {
      const most = Math.max(1, ...density.map(([, parts]) => Math.max(...parts)));
      density.forEach(([user, parts], index) => {
        context.fillStyle = colourOf(this.player.whole.look(user).colour);
        const bottom = MARKS_HEIGHT + (Math.min(index, rows - 1) + 1) * row;
        parts.forEach((count, part) => {
          if (!count) return;
          const height = 2 + (row - 3) * Math.sqrt(count / most);
          context.fillRect(INSET + part * 3, bottom - height, 2.5, height);
        });
      });
    }
  }

  function drawSign(context, shape, x, colour) {
    const y = 8;
    context.fillStyle = context.strokeStyle = colour;
    context.lineWidth = 2;
    context.beginPath();
    if (shape === "dot") context.arc(x, y, 3.2, 0, 7);
    if (shape === "ring") context.arc(x, y, 3.6, 0, 7);
    const corners = {
      up: [[-4.5, 3.5], [4.5, 3.5], [0, -4.5]],
      down: [[-4.5, -3.5], [4.5, -3.5], [0, 4.5]],
      play: [[-3.5, -4.5], [-3.5, 4.5], [4.5, 0]],
      diamond: [[-5, 0], [0, -5], [5, 0], [0, 5]],
    };
    for (const [right, down] of corners[shape] ?? []) context.lineTo(x + right, y + down);
    context.closePath();
    if (shape === "ring") context.stroke();
    else context.fill();
  }

  /* The whole: what is shown, and how time passes. `place` is where it is on the time line. */
  class Show {
    constructor(whole) {
      this.whole = whole;
      this.isFolded = true;
      this.timeLine = whole.timeLine(true);
      this.place = 0;
      this.index = 0;
      this.isPlaying = false;
      this.speed = 1;
      this.lookedMilliseconds = 0;
      this.front = null;
      this.picked = null;
      this.followed = null;
      this.isFollowing = true;
      this.traces = new Traces();
      this.movedAt = new Map();
      this.edits = [...whole.edits()];
      this.drawnAt = null;
      this.pane = new Pane();
      this.tabs = new Tabs(this);
      this.people = new People(this);
      this.chat = new Chat(this);
      this.activity = new Activity(this);
      this.strip = new Strip(this);
    }

    get state() {
      return this.whole.stateAt(this.index);
    }

    lookOf(user, state) {
      return state.looks.get(user) ?? this.whole.look(user);
    }

    isNamed(client) {
      return this.lookedMilliseconds - (this.movedAt.get(client) ?? -Infinity) < NAMED_MILLISECONDS;
    }

    // Time.

    play() {
      if (this.place >= this.timeLine.length) this.seek(0);
      this.isPlaying = true;
      this.drawnAt = null;
      this.say("Playing");
      this.showControls();
      requestAnimationFrame((now) => this.tick(now));
    }

    pause() {
      this.isPlaying = false;
      this.say(`Paused at ${clock(this.timeLine.timeAt(this.place))}`);
      this.showControls();
    }

    toggle() {
      if (this.isPlaying) this.pause();
      else this.play();
    }

    tick(now) {
      if (!this.isPlaying) return;
      const passed = this.drawnAt === null ? 0 : Math.min(FRAME_MILLISECONDS, now - this.drawnAt);
      this.drawnAt = now;
      this.lookedMilliseconds += passed;
      const before = this.place;
      this.place = Math.min(this.timeLine.length, this.place + passed * this.speed);
      const skipped = this.timeLine.breaks.find(({ place }) => place >= before && place < this.place);
      if (skipped) this.tellSkipped(skipped.microseconds);
      this.advance(this.whole.indexAt(this.timeLine.timeAt(this.place)));
      this.show(true);
      if (this.place >= this.timeLine.length) this.pause();
      else requestAnimationFrame((next) => this.tick(next));
    }

    /* Take the steps up to `index` in, one by one. */
    advance(index) {
      for (; this.index < index; this.index += 1) {
        this.trace(this.whole.steps[this.index], this.lookedMilliseconds);
      }
      this.traces.prune(this.lookedMilliseconds);
    }

    trace(step, now) {
      for (const event of step.events) {
        if (event.event === "edit") {
          this.traces.take(event, this.whole.look(event.actor).colour, now);
          this.movedAt.set(event.client, now);
        }
        for (const move of event.moves ?? []) this.movedAt.set(move.client, now);
      }
    }

    seek(place) {
      this.place = Math.min(this.timeLine.length, Math.max(0, place));
      const time = this.timeLine.timeAt(this.place);
      const index = this.whole.indexAt(time);
      const first = this.whole.indexAt(time - NAMED_MILLISECONDS * 1000);
      this.goTo(index, Math.max(first, index - SEEN_STEPS), time);
    }

    /* To where `index` steps have happened. What was done from the step `first` on is still to be seen, as it
       would be if it had been watched until `time`. */
    goTo(index, first, time) {
      this.traces.clear();
      this.movedAt.clear();
      this.front = null;
      for (const step of this.whole.steps.slice(first, index)) {
        this.trace(step, this.lookedMilliseconds - (time - step.at) / 1000);
      }
      this.traces.prune(this.lookedMilliseconds);
      this.index = index;
      this.show(false);
    }

    /* When the page has another size. */
    redraw() {
      this.strip.draw();
      this.show(false);
    }

    goToStep(index) {
      const step = this.whole.steps[index - 1];
      this.place = step ? this.timeLine.placeAt(step.at) : 0;
      this.goTo(index, Math.max(0, index - 1), step?.at ?? 0);
      this.say(this.told(index));
    }

    /* What happened in a step, for those who hear the page. */
    told(index) {
      const line = this.whole.lines[Recording.firstBehind(this.whole.lines, (found) => found.step > index) - 1];
      return line ? `${clock(line.at)} ${plain(this.whole.look(line.user).name)} ${plain(line.text)}` : "The beginning";
    }

    /* One event on or back. Moves of cursors are passed over, unless all are wanted. */
    step(way, isWithMoves) {
      if (this.isPlaying) this.pause();
      const { steps } = this.whole;
      let index = this.index + way;
      const isPassed = (step) => !isWithMoves && step.events.every((event) => event.type === "presence");
      while (index > 0 && index < steps.length && isPassed(steps[index - 1])) index += way;
      this.goToStep(Math.min(steps.length, Math.max(0, index)));
    }

    setSpeed(speed) {
      this.speed = speed;
      find("speed").value = String(speed);
    }

    changeSpeed(way) {
      const index = SPEEDS.indexOf(this.speed) + way;
      if (SPEEDS[index]) this.setSpeed(SPEEDS[index]);
    }

    fold(isFolded) {
      const time = this.timeLine.timeAt(this.place);
      this.timeLine = this.whole.timeLine((this.isFolded = isFolded));
      this.place = this.timeLine.placeAt(time);
      find("skip").checked = isFolded;
      this.strip.draw();
      this.show(false);
    }

    // What is in front.

    pick(name) {
      this.picked = this.front = name;
      this.isFollowing = false;
      this.followed = null;
      this.show(false);
    }

    follow(client) {
      this.followed = this.followed === client ? null : client;
      this.setFollowing(true);
    }

    setFollowing(isFollowing) {
      this.isFollowing = isFollowing;
      if (isFollowing) this.picked = this.front = null;
      else this.followed = null;
      this.show(false);
    }

    /* The document in front: the viewer's choice, where the one is whom they follow, what is written in. One that
       is being written in is not put behind another at every key. */
    chooseFront(state) {
      const documents = Recording.documentsOf(state);
      const has = (name) => documents.has(name);
      if (has(this.picked)) return this.picked;
      const place = this.personOf(this.followed, state)?.place?.document;
      if (has(place)) return place;
      const last = this.lastEdit()?.event.document;
      const wrote = this.traces.writtenAt.get(this.front) ?? -Infinity;
      if (has(this.front) && this.lookedMilliseconds - wrote < FRONT_MILLISECONDS) return this.front;
      if (has(last)) return last;
      return has(this.front) ? this.front : [...documents.keys()][0];
    }

    personOf(client, state) {
      return Recording.peopleOf(state).find((person) => person.client === client);
    }

    lastEdit() {
      return this.edits[Recording.firstBehind(this.edits, ({ index }) => index >= this.index) - 1];
    }

    /* Where to look in the document in front, null when the viewer looks for themselves. */
    focus(state) {
      if (!this.isFollowing) return null;
      const author = this.personOf(this.followed ?? this.lastEdit()?.event.client, state);
      const place = author?.place;
      if (place?.document === this.front) return place.head;
      const last = this.lastEdit()?.event;
      return last?.document === this.front ? Recording.effectOf(last.op).end : null;
    }

    // What is shown.

    show(isSmooth) {
      const moment = this.timeLine.timeAt(this.place);
      const state = { ...this.state, at: moment };
      this.front = this.chooseFront(state);
      this.tabs.show(state, this.front);
      this.pane.show(this.front, state, this.traces, this);
      this.pane.settle(this.focus(state), isSmooth);
      this.people.show(state, this.followed);
      this.chat.show(state);
      this.activity.show(this.index);
      this.strip.show(this.place);
      find("follow").setAttribute("aria-pressed", String(this.isFollowing));
      find("moment").textContent = clock(moment, true);
      find("moment").dateTime = new Date(moment / 1000).toISOString();
      find("elapsed").textContent = `${span(this.place)} / ${span(this.timeLine.length)}`;
    }

    showControls() {
      document.body.classList.toggle("playing", this.isPlaying);
      document.body.classList.toggle("paused", !this.isPlaying);
      find("play").setAttribute("aria-label", this.isPlaying ? "Pause" : "Play");
    }

    tellSkipped(microseconds) {
      const skipped = find("skipped");
      skipped.textContent = `${roughly(microseconds)} later`;
      skipped.classList.add("shown");
      clearTimeout(this.skippedTimer);
      this.skippedTimer = setTimeout(() => skipped.classList.remove("shown"), 1200);
    }

    say(what) {
      find("spoken").textContent = what;
    }
  }

  // Hands.

  function turnTheme(show) {
    const root = document.documentElement;
    const isDark = getComputedStyle(root).colorScheme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = isDark ? "light" : "dark";
    show.strip.draw();
  }

  function listen(show) {
    find("play").addEventListener("click", () => show.toggle());
    find("back").addEventListener("click", (event) => show.step(-1, event.shiftKey));
    find("forward").addEventListener("click", (event) => show.step(1, event.shiftKey));
    find("follow").addEventListener("click", () => show.setFollowing(!show.isFollowing));
    find("skip").addEventListener("change", (event) => show.fold(event.target.checked));
    find("theme").addEventListener("click", () => turnTheme(show));
    find("help").addEventListener("click", () => find("keys").showModal());
    const speeds = find("speed");
    for (const speed of SPEEDS) speeds.append(new Option(`${speed}×`, String(speed), speed === 1, speed === 1));
    speeds.addEventListener("change", () => show.setSpeed(Number(speeds.value)));
    for (const type of ["wheel", "touchmove"]) {
      find("pane").addEventListener(type, () => show.isFollowing && show.setFollowing(false), { passive: true });
    }
    for (const button of find("views").children) {
      button.addEventListener("click", () => turnView(show, button.dataset.view));
    }
    document.addEventListener("keydown", (event) => onKey(show, event));
  }

  function turnView(show, view) {
    document.body.dataset.view = view;
    for (const button of find("views").children) {
      button.setAttribute("aria-pressed", String(button.dataset.view === view));
    }
    show.chat.tellUnseen();
    for (const { list } of [show.chat, show.activity]) list.scrollTop = list.scrollHeight;
    show.show(false);
  }

  const KEYS = {
    " ": (show) => show.toggle(),
    k: (show) => show.toggle(),
    ArrowLeft: (show, event) => show.step(-1, event.shiftKey),
    ArrowRight: (show, event) => show.step(1, event.shiftKey),
    j: (show) => show.seek(show.place - JUMP_MILLISECONDS),
    l: (show) => show.seek(show.place + JUMP_MILLISECONDS),
    Home: (show) => show.seek(0),
    End: (show) => show.seek(show.timeLine.length),
    "+": (show) => show.changeSpeed(1),
    "=": (show) => show.changeSpeed(1),
    "-": (show) => show.changeSpeed(-1),
    f: (show) => show.setFollowing(!show.isFollowing),
    s: (show) => show.fold(!show.isFolded),
    t: (show) => turnTheme(show),
    "?": () => find("keys").showModal(),
  };

  function onKey(show, event) {
    if (event.ctrlKey || event.metaKey || event.altKey || find("keys").open) return;
    const { target } = event;
    if (event.key === " " && target.closest("button, select, [type=checkbox]")) return;
    if (target.closest("select")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!Object.hasOwn(KEYS, key)) return;
    KEYS[key](show, event);
    event.preventDefault();
  }

  // The beginning.

  /* The lines of the recording. A file that breaks off is shown as far as it goes. */
  function read(json) {
    try {
      return JSON.parse(json);
    } catch {
      const lines = [];
      for (const line of json.split("\n").slice(1)) {
        try {
          lines.push(JSON.parse(line.replace(/,$/, "")));
        } catch {
          break;
        }
      }
      return lines;
    }
  }

  function tellTrouble(whole) {
    const notice = find("notice");
    notice.hidden = whole.isComplete;
    notice.textContent = whole.error
      ? `This recording ends early: ${plain(String(whole.error.detail ?? whole.error.code))}.`
      : "This file is not complete: it is shown as far as it goes.";
  }

  /* `#t=12.5&speed=4&play&dark` begins at 12.5 seconds, four times as fast, playing, on a dark page. */
  function begin(show, given) {
    if (given.has("dark")) document.documentElement.dataset.theme = "dark";
    if (given.has("light")) document.documentElement.dataset.theme = "light";
    if (given.has("all")) show.fold(false);
    const speed = Number(given.get("speed"));
    show.setSpeed(SPEEDS.includes(speed) ? speed : 1);
    show.seek((Number(given.get("t")) || 0) * 1000);
    if (given.has("view")) turnView(show, given.get("view"));
    show.showControls();
    if (given.has("play")) show.play();
  }

  function start() {
    const whole = new Recording.Whole(read(find("recording").textContent));
    document.title = `${whole.begin.room}: replay`;
    find("room").textContent = whole.begin.room;
    tellTrouble(whole);
    const show = new Show(whole);
    find("signs").append(...Object.values(SIGNS).map(({ name, shape }) => make("li", "", `${GLYPHS[shape]} ${name}`)));
    listen(show);
    begin(show, new URLSearchParams(location.hash.slice(1)));
    return show;
  }

  const GLYPHS = { up: "▲", down: "▼", dot: "●", diamond: "◆", play: "▶", ring: "○" };

  document.addEventListener("DOMContentLoaded", start);
  return { start };
})();
