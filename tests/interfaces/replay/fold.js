/* What the player makes of recordings: for each line of JSON that comes in (the lines of a replay), one goes
   out: the state behind each step, forwards, and whether the same comes out in another order. */
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");
const vm = require("node:vm");

const scripts = process.argv.slice(2).map((path) => fs.readFileSync(path, "utf-8"));
const Recording = vm.runInThisContext(`${scripts.join("\n")}\nRecording`);

function shown(state) {
  return {
    documents: [...state.documents].map(([document, { revision, text, isListed }]) => ({
      document,
      revision,
      text: text.toString(),
      length: text.length,
      listed: isListed,
    })),
    people: Recording.peopleOf(state).map(({ client, user, name, colour, status, cursor, typing }) => ({
      client,
      user,
      name,
      colour,
      status,
      cursor: cursor && {
        document: cursor.document,
        revision: cursor.revision,
        anchor: cursor.anchor,
        head: cursor.head,
      },
      typing: typing === undefined ? null : { document: typing },
    })),
    messages: [...state.messages.values()],
  };
}

/* A fixed way to and fro, with long and short jumps. */
function* there(count) {
  let place = 7;
  for (let index = 0; index < 3 * count; index += 1) {
    place = (place * 48271 + 11) % 2147483647;
    yield place % (count + 1);
  }
}

function answer(lines) {
  const whole = new Recording.Whole(lines);
  const states = [];
  for (let index = 0; index <= whole.steps.length; index += 1) states.push(shown(whole.stateAt(index)));
  const told = states.map((state) => JSON.stringify(state));
  let isSameAnywhere = true;
  for (const index of there(whole.steps.length)) {
    isSameAnywhere &&= JSON.stringify(shown(whole.stateAt(index))) === told[index];
  }
  return { states, isSameAnywhere };
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
});
