/* Shows a recording: how time passes, what is in front, and what keys and buttons do.

   The recording comes from strangers. Whatever it holds is put in as text; nothing of it is ever markup, a style
   sheet or an address. Colours are taken when they look like one. */
"use strict";

const Player = (() => {
  const { documentsOf, firstBehind, peopleOf } = Recording;
  const { clock, find, make, plain, roughly, span } = Writing;
  const { Pane, Traces } = Panes;
  const { Activity, Chat, People, Tabs } = Panels;
  const { LEGEND, Strip } = Strips;

  const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];

  // So long a cursor that has moved shows its name, and a document that is written in keeps to the front.
  const NAMED_MILLISECONDS = 3000;
  const FRONT_MILLISECONDS = 1500;

  // A longer one is not drawn: a tab that was in the background has not been looked at.
  const FRAME_MILLISECONDS = 250;

  // After a jump, of what was done just before it, so much is still to be seen.
  const SEEN_STEPS = 500;

  const JUMP_MILLISECONDS = 10_000;

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
      this.tabs.key = null;
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
      const step = this.whole.steps[index - 1];
      if (!step) return "The beginning";
      const edits = step.events.filter(({ event }) => event === "edit");
      const said = edits.map((edit) => `${this.whole.look(edit.actor).name} in ${edit.document}: ${wordsOf(edit.op)}`);
      for (const line of this.whole.lines.filter((found) => found.step === index && found.kind !== "edit")) {
        said.push(`${this.whole.look(line.user).name} ${line.text}`);
      }
      return `${clock(step.at)} ${plain(said.join(". ") || "a cursor moved")}`;
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
      const documents = documentsOf(state);
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
      return peopleOf(state).find((person) => person.client === client);
    }

    lastEdit() {
      return this.edits[firstBehind(this.edits, ({ index }) => index >= this.index) - 1];
    }

    /* Where to look in the document in front, null when the viewer looks for themselves. */
    focus(state) {
      if (!this.isFollowing) return null;
      const author = this.personOf(this.followed ?? this.lastEdit()?.event.client, state);
      const place = author?.place;
      if (place && place.document === this.front) return place.head;
      const last = this.lastEdit()?.event;
      return last && last.document === this.front ? Texts.effectOf(last.op).end : null;
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

  /* What an op does, to be heard. */
  function wordsOf(op) {
    const words = op.map((component) => {
      if (typeof component === "string") return `wrote ${component}`;
      return typeof component === "object" ? `deleted ${component.d}` : "";
    });
    return words.filter(Boolean).join(", ");
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
    find("signs").append(...LEGEND.map((sign) => make("li", "", sign)));
    listen(show);
    begin(show, new URLSearchParams(location.hash.slice(1)));
    return show;
  }

  document.addEventListener("DOMContentLoaded", start);
  return { start };
})();
