/* A recording: what a room was at a moment, and everything that happened from then on.

   This half of the player knows no page, reads no clock and runs in Node as well. States are never changed: each
   step makes a new one that shares with the one before what the step left alone, so that any number of them
   can be kept, and time can run in both directions.

   Times are microseconds since the epoch, places on the time line milliseconds. */
"use strict";

const Recording = (() => {
  const { Text, effectOf, lengthOf, transformPosition } = Texts;

  // As on the server: a sign of typing holds for so long.
  const TYPING_MICROSECONDS = 10_000_000;

  // A state is kept every so many steps. To go anywhere costs at most that many steps.
  const KEYFRAME_STEPS = 200;

  // Where nothing happens for so long the time line is folded, to so much.
  const IDLE_MICROSECONDS = 3_000_000;
  const FOLDED_MICROSECONDS = 700_000;

  // So much is left before and after everything.
  const REST_MICROSECONDS = 2_000_000;

  // Edits of one person in one document with no longer pause between are one line of activity.
  const BURST_MICROSECONDS = 15_000_000;

  const NOBODY = "#808080";

  // The fold. See projections/stage.py, which has the same.

  /* The state that a stage tells of. Nobody has told in which sessions people are here, so each has one without
     a name. */
  function begun(stage) {
    const state = {
      at: stage.at,
      documents: new Map(),
      stays: new Map(),
      looks: new Map(),
      cursors: new Map(),
      signs: new Map(),
      hands: new Map(),
      acts: new Map(),
      messages: new Map(stage.messages.map((told) => [told.message, told])),
    };
    for (const { document, revision, text, listed } of stage.documents) {
      state.documents.set(document, { revision, text: Text.of(text), isListed: listed !== false });
    }
    for (const { client, user, name, colour, status, cursor, typing } of stage.people) {
      state.stays.set(`?${client}`, { client, user, status, since: -Infinity });
      state.looks.set(user, { name, colour });
      if (cursor) state.cursors.set(client, new Map([[cursor.document, { ...cursor, at: stage.at }]]));
      if (typing) state.signs.set(client, new Map([[typing.document, typing.at]]));
    }
    return state;
  }

  /* A state on its way to the next: a map that is changed is copied first, once for each step. */
  class Draft {
    constructor(state, at) {
      this.state = { ...state, at };
      this.owned = new Set();
    }

    map(name) {
      if (!this.owned.has(name)) {
        this.owned.add(name);
        this.state[name] = new Map(this.state[name]);
      }
      return this.state[name];
    }

    /* Puts `value` (undefined: nothing) under `key` into the map that `client` has there. */
    put(name, client, key, value) {
      const inner = new Map(this.state[name].get(client));
      if (value === undefined) inner.delete(key);
      else inner.set(key, value);
      this.map(name).set(client, inner);
    }

    message(id, change) {
      const message = this.state.messages.get(id);
      if (message) this.map("messages").set(id, { ...message, ...change(message) });
    }
  }

  /* The state after one more step. `opOf` finds the op that made a revision, for cursors of an older text. */
  function after(state, step, opOf) {
    const draft = new Draft(state, step.at);
    for (const event of step.events) {
      if (event.type === "presence") takePresence(draft, event, opOf);
      else if (Object.hasOwn(TAKEN, event.event)) TAKEN[event.event](draft, event);
    }
    return draft.state;
  }

  const TAKEN = {
    edit: takeEdit,
    left: takeLeft,
    document_listed: (draft, event) => list(draft, event.document, true),
    document_unlisted: (draft, event) => list(draft, event.document, false),
    joined(draft, { client, session, actor, name, colour, at }) {
      draft.map("stays").set(session, { client, user: actor, status: "idle", since: at });
      draft.map("looks").set(actor, { name, colour });
    },
    status(draft, event) {
      const session = sessionOf(draft.state, event);
      const stay = draft.state.stays.get(session);
      if (stay) draft.map("stays").set(session, { ...stay, status: event.status });
    },
    profile(draft, { user, name, colour }) {
      draft.map("looks").set(user, { name, colour });
    },
    message(draft, event) {
      draft.map("messages").set(event.message, event);
      draft.map("acts").set(event.client, event.at);
    },
    message_edited(draft, { message, text, mentions, at }) {
      draft.message(message, ({ edits }) => ({ text, mentions, edits: edits + 1, edited: at }));
    },
    message_deleted(draft, { message, at }) {
      draft.message(message, () => ({ text: "", mentions: [], deleted: at, pinned: null }));
    },
    message_pinned(draft, { message, at }) {
      draft.message(message, () => ({ pinned: at }));
    },
    message_unpinned(draft, { message }) {
      draft.message(message, () => ({ pinned: null }));
    },
    reaction_added(draft, event) {
      draft.message(event.message, ({ reactions }) => ({ reactions: reacted(reactions, event, true) }));
    },
    reaction_removed(draft, event) {
      draft.message(event.message, ({ reactions }) => ({ reactions: reacted(reactions, event, false) }));
    },
  };

  function reacted(reactions, { emoji, actor }, isAdded) {
    const found = new Map(Object.entries(reactions));
    const others = (found.get(emoji) ?? []).filter((user) => user !== actor);
    found.set(emoji, isAdded ? [...others, actor] : others);
    return Object.fromEntries([...found].filter(([, users]) => users.length));
  }

  function list(draft, name, isListed) {
    const document = draft.state.documents.get(name);
    if (!document && !isListed) return;
    draft.map("documents").set(name, { ...(document ?? { revision: 0, text: new Text([]) }), isListed });
  }

  /* The session of an event, or the one without a name in which its client was here from the beginning. */
  function sessionOf(state, { client, session }) {
    return state.stays.has(session) ? session : `?${client}`;
  }

  function takeLeft(draft, event) {
    if (!draft.map("stays").delete(sessionOf(draft.state, event))) return;
    for (const stay of draft.state.stays.values()) if (stay.client === event.client) return;
    for (const name of ["cursors", "signs", "hands", "acts"]) draft.map(name).delete(event.client);
  }

  function takeEdit(draft, event) {
    const begins = event.cause === "import" && event.revision === 1; // it is listed when it is whole
    const unlisted = begins ? { revision: 0, text: new Text([]), isListed: false } : undefined;
    const document = draft.state.documents.get(event.document) ?? unlisted;
    if (!document || event.revision !== document.revision + 1) return; // not seen, or known already
    const text = document.text.apply(event.op);
    draft.map("documents").set(event.document, { ...document, revision: event.revision, text });
    for (const [client, places] of draft.state.cursors) {
      const cursor = places.get(event.document);
      if (cursor?.revision !== event.revision - 1) continue;
      draft.put("cursors", client, event.document, movedOver(cursor, event));
    }
    for (const [client, hand] of draft.state.hands) {
      if (hand.document === event.document) draft.map("hands").set(client, movedOver(hand, event));
    }
    const { end } = effectOf(event.op);
    const hand = { document: event.document, revision: event.revision, anchor: end, head: end };
    draft.map("hands").set(event.client, hand);
    draft.map("acts").set(event.client, event.at);
  }

  function movedOver(place, { op, revision }) {
    const anchor = transformPosition(place.anchor, op);
    const head = place.head === place.anchor ? anchor : transformPosition(place.head, op);
    return { ...place, revision, anchor, head };
  }

  function takePresence(draft, event, opOf) {
    for (const move of event.moves ?? []) takeMove(draft, move, opOf);
    for (const { client, document, typing, at } of event.typing ?? []) {
      draft.put("signs", client, document, typing ? at : undefined);
    }
  }

  function takeMove(draft, { client, document, revision, anchor, head, at }, opOf) {
    let cursor;
    if (anchor !== null) {
      cursor = { document, revision, anchor, head, at };
      const present = draft.state.documents.get(document)?.revision ?? 0;
      for (let next = revision + 1; next <= present; next += 1) {
        cursor = movedOver(cursor, { op: opOf(document, next) ?? [], revision: next });
      }
    }
    draft.put("cursors", client, document, cursor);
    draft.map("hands").delete(client);
  }

  /* Who is here: each client once, in the order in which they came. `place` is where they are for eyes: their
     cursor, or where they have written since it was last told. `typing` is the document in which they type, null
     for the chat, undefined when they do not; `types` is the same for eyes: who has said it, or writes
     elsewhere, types no message any more. */
  function peopleOf(state) {
    const newest = new Map();
    for (const stay of state.stays.values()) newest.set(stay.client, stay);
    return [...newest.values()].map((stay) => personOf(state, stay));
  }

  function personOf(state, { client, user, status, since }) {
    const cursors = [...(state.cursors.get(client)?.values() ?? [])];
    const cursor = latest(cursors, ({ at, document }) => [at, document], since);
    const signs = [...(state.signs.get(client) ?? [])];
    const sign = latest(signs, ([where, at]) => [at, where ?? ""], Math.max(since, state.at - TYPING_MICROSECONDS + 1));
    const isDone = sign && sign[0] === null && state.acts.get(client) > sign[1];
    return {
      ...{ client, user, status, cursor },
      ...state.looks.get(user),
      typing: sign?.[0],
      types: isDone ? undefined : sign?.[0],
      place: state.hands.get(client) ?? cursor,
    };
  }

  /* Of what was told at a time of some document, the last, but nothing from before `since`; of two at once, as in
     a stage, the one of the later name. */
  function latest(told, whenOf, since) {
    let found = null;
    for (const item of told) {
      const [at, name] = whenOf(item);
      const [last, other] = found ? whenOf(found) : [-1, ""];
      if (at >= since && (at > last || (at === last && name > other))) found = item;
    }
    return found;
  }

  /* The documents on the list, by name. */
  function documentsOf(state) {
    return new Map([...state.documents].filter(([, document]) => document.isListed));
  }

  // The time line.

  /* Session time laid out for playing: with `isFolded` what lies idle takes less than a second. */
  class TimeLine {
    constructor(from, until, moments, isFolded) {
      this.knots = [{ time: from, place: 0 }];
      this.breaks = []; // where time was folded, and how much of it
      let previous = from;
      for (const moment of isFolded ? [...moments, until] : []) {
        if (moment - previous > IDLE_MICROSECONDS) this.fold(previous, moment);
        previous = Math.max(previous, moment);
      }
      this.add(until, (until - this.last.time) / 1000);
      this.length = this.last.place;
    }

    get last() {
      return this.knots[this.knots.length - 1];
    }

    add(time, width) {
      this.knots.push({ time, place: this.last.place + width });
    }

    fold(start, end) {
      if (start > this.last.time) this.add(start, (start - this.last.time) / 1000);
      this.breaks.push({ place: this.last.place, microseconds: end - start });
      this.add(end, FOLDED_MICROSECONDS / 1000);
    }

    timeAt(place) {
      return Math.round(between(this.knots, "place", "time", place));
    }

    placeAt(time) {
      return between(this.knots, "time", "place", time);
    }
  }

  /* A straight line between the knots around `value`. */
  function between(knots, known, wanted, value) {
    const index = Math.max(1, Math.min(knots.length - 1, firstBehind(knots, (knot) => knot[known] > value)));
    const [one, other] = [knots[index - 1], knots[index]];
    const width = other[known] - one[known];
    const part = width > 0 ? Math.min(1, Math.max(0, (value - one[known]) / width)) : 0;
    return one[wanted] + part * (other[wanted] - one[wanted]);
  }

  /* The index of the first item of a sorted list for which `isBehind` holds, its length if there is none. */
  function firstBehind(items, isBehind) {
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBehind(items[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  // What is told beside it.

  const SENTENCES = {
    joined: () => "joined",
    left: (event) => (event.reason === "left" ? "left" : `left (${event.reason})`),
    message: (event) => (event.imported ? "imported a message" : `said: ${event.text}`),
    message_edited: (event) => `corrected a message: ${event.text}`,
    message_deleted: () => "deleted a message",
    message_pinned: () => "pinned a message",
    message_unpinned: () => "unpinned a message",
    reaction_added: (event) => `reacted ${event.emoji}`,
    reaction_removed: (event) => `took ${event.emoji} back`,
    revision_saved: (event) =>
      event.name === null
        ? `saved ${event.document} at revision ${event.revision}`
        : `named revision ${event.revision} of ${event.document} “${event.name}”`,
    run_started: (event) => `runs ${event.title}`,
    run_finished: (event) =>
      event.exit_code === null ? `run ${event.outcome}` : `run ${event.outcome} (${event.exit_code})`,
    document_listed: (event) => `added ${event.document}`,
    document_unlisted: (event) => `removed ${event.document}`,
    room_opened: (event) => `opened the room “${event.title}”`,
    room_renamed: (event) => `renamed the room “${event.title}”`,
    access_changed: () => "changed who may come in",
    room_closed: () => "closed the room",
    member_added: (event) => `made ${event.user} ${event.role}`,
    role_changed: (event) => `made ${event.user} ${event.role}`,
    member_removed: (event) => (event.user === event.actor ? "is no member any more" : `removed ${event.user}`),
    invitation_made: (event) => `invites as ${event.role}`,
    invitation_revoked: () => "revoked an invitation",
  };

  /* Lines of activity: who did what, when, and behind which step. Edits in a row are one line, which says at
     its beginning what they come to. */
  function linesOf(steps) {
    const lines = [];
    const bursts = new Map();
    steps.forEach((step, index) => {
      for (const event of step.events) {
        const line = { at: event.at ?? step.at, step: index + 1, user: event.actor, kind: event.event };
        if (event.event === "edit") addToBurst(bursts, lines, line, event);
        else if (Object.hasOwn(SENTENCES, event.event)) lines.push({ ...line, text: SENTENCES[event.event](event) });
      }
    });
    return lines;
  }

  function addToBurst(bursts, lines, line, event) {
    const key = `${event.client} ${event.document}`;
    let burst = bursts.get(key);
    if (!burst || line.at - burst.until > BURST_MICROSECONDS) {
      burst = { ...line, inserted: 0, deleted: 0 };
      bursts.set(key, burst);
      lines.push(burst);
    }
    for (const component of event.op) {
      if (typeof component === "string") burst.inserted += lengthOf(component);
      else if (typeof component === "object") burst.deleted += lengthOf(component);
    }
    burst.until = line.at;
    burst.text = `wrote in ${event.document} (+${burst.inserted} −${burst.deleted})`;
  }

  /* How everybody looks who appears anywhere, at last, by user: chats name people who are not here. */
  function looksOf(begin, steps) {
    const looks = new Map();
    const see = (user, { name, colour }) => looks.set(user, { name, colour });
    for (const person of begin.stage.people) see(person.user, person);
    for (const step of steps) {
      for (const event of step.events) {
        if (event.event === "joined") see(event.actor, event);
        else if (event.event === "profile") see(event.user, event);
      }
    }
    return looks;
  }

  const QUIET = new Set(["receipts", "status", "profile", undefined]);

  function isBusy(event) {
    return event.type === "presence" ? (event.moves ?? []).length > 0 : !QUIET.has(event.event);
  }

  /* Everything about one recording. `told` are its lines as they were sent. */
  class Whole {
    constructor(told) {
      const begin = told.find((line) => line.type === "begin");
      if (!begin) throw new Error("this is no recording");
      this.begin = begin;
      this.steps = told.filter((line) => line.type === "step");
      this.error = told.find((line) => line.type === "error") ?? null;
      this.isComplete = told.some((line) => line.type === "end");
      this.lines = linesOf(this.steps);
      this.looks = looksOf(begin, this.steps);
      this.ops = new Map();
      for (const { event } of this.edits()) {
        if (!this.ops.has(event.document)) this.ops.set(event.document, new Map());
        this.ops.get(event.document).set(event.revision, event.op);
      }
      this.keyframes = [begun(begin.stage)];
      this.latest = { index: 0, state: this.keyframes[0] };
    }

    *edits() {
      for (const [index, step] of this.steps.entries()) {
        for (const event of step.events) if (event.event === "edit") yield { event, index, at: step.at };
      }
    }

    /* Where it begins and ends: not long before or after something happens. */
    get from() {
      const first = this.steps[0]?.at ?? this.begin.from;
      return Math.min(first, Math.max(this.begin.from, first - REST_MICROSECONDS));
    }

    get until() {
      const last = this.steps[this.steps.length - 1]?.at ?? this.begin.from;
      return Math.max(last, Math.min(this.begin.until, last + REST_MICROSECONDS));
    }

    /* The state behind the first `index` steps. */
    stateAt(index) {
      let { index: reached, state } = this.latest;
      const frame = Math.min(Math.floor(index / KEYFRAME_STEPS), this.keyframes.length - 1);
      if (reached > index || reached < frame * KEYFRAME_STEPS) {
        reached = frame * KEYFRAME_STEPS;
        state = this.keyframes[frame];
      }
      while (reached < index) {
        state = after(state, this.steps[reached], (document, revision) => this.opOf(document, revision));
        reached += 1;
        if (reached === this.keyframes.length * KEYFRAME_STEPS) this.keyframes.push(state);
      }
      this.latest = { index, state };
      return state;
    }

    opOf(document, revision) {
      return this.ops.get(document)?.get(revision);
    }

    /* How many steps have happened at `time`. */
    indexAt(time) {
      return firstBehind(this.steps, (step) => step.at > time);
    }

    timeLine(isFolded) {
      const moments = this.steps.filter((step) => step.events.some(isBusy)).map((step) => step.at);
      return new TimeLine(this.from, this.until, moments, isFolded);
    }

    /* What one may want to go to: what the replay marks, and what was said. */
    get marks() {
      return [...this.begin.marks, ...this.lines.filter((line) => line.kind === "message" || line.kind === "left")];
    }

    look(user) {
      return this.looks.get(user) ?? { name: user, colour: NOBODY };
    }

    /* By user, how many edits fell into each of `count` equal parts of a time line. */
    density(timeLine, count) {
      const users = new Map();
      for (const { event, at } of this.edits()) {
        if (!users.has(event.actor)) users.set(event.actor, new Array(count).fill(0));
        const part = Math.floor((timeLine.placeAt(at) / Math.max(1, timeLine.length)) * count);
        users.get(event.actor)[Math.min(count - 1, part)] += 1;
      }
      return users;
    }
  }

  return { Whole, documentsOf, firstBehind, peopleOf };
})();
