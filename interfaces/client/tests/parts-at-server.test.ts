/** What is watched and shown of a room, at a real server. */

import { describe, expect, test } from "vitest";
import type { LiveStatistics } from "../src/types.ts";
import { guest, join, makeRoom, until, url } from "./server.ts";
import { watch } from "./told-room.ts";

async function twoPeople() {
  const [ada, ben] = await Promise.all([guest("Ada"), guest("Ben")]);
  const room = await makeRoom(ada);
  const [one, other] = [join(room, ada), join(room, ben)];
  await until(one.presence, ({ people }) => people.length === 2);
  return { one, other };
}

describe.skipIf(url === undefined)("a room at a real server", () => {
  test("tells its figures to everybody who looks, of the day and of all time", async () => {
    const { one, other } = await twoPeople();
    await one.chat.post("what there was before anybody looked");
    const isCounted = (figures: LiveStatistics | null) =>
      figures?.day.totals.messages === 1 && figures.ever.totals.messages === 1;
    await until(one.statistics, isCounted);
    const figures = await until(other.statistics, isCounted);
    expect(figures!.day.totals).toEqual(figures!.ever.totals);
    expect(figures!.day.hours).toHaveLength(24);
    await other.leave();
    await one.leave();
  });

  test("shows all that went on since it was opened, while one looks", async () => {
    const { one, other } = await twoPeople();
    const activity = watch(other.activity);
    const post = await one.chat.post("hello");
    const { lines } = await until(other.activity, (shown) => shown.lines.some((l) => l.message === post));
    expect(lines.map(({ id }) => id)).toEqual(lines.map(({ id }) => id).toSorted((a, b) => b - a));
    expect(lines.filter(({ kind }) => kind === "joined").length).toBeGreaterThanOrEqual(1);
    activity.end();
    await one.leave();
    await other.leave();
  });

  test("shows people again when they go to another document, not for every move of a cursor", async () => {
    const { one, other } = await twoPeople();
    const document = one.open("main.md", { create: true });
    await until(document, ({ status }) => status === "open");
    document.edit([{ from: 0, to: 0, insert: "some text to walk over" }]);
    await document.saved();
    const walked = other.open("main.md");
    await until(walked, ({ status }) => status === "open");
    walked.setCursor({ anchor: 0, head: 0 });
    const where = (documents: readonly string[]) =>
      until(one.presence, ({ people }) =>
        people.some(({ isMe, places }) => !isMe && places.some((p) => `${p.documents}` === `${documents}`)),
      );
    await where(["main.md"]);
    const { seen } = watch(one.presence);
    for (let at = 1; at <= 5; at++) {
      walked.setCursor({ anchor: at, head: at });
      await until(document.cursors, ([cursor]) => cursor?.head === at);
    }
    expect(seen).toEqual([]);
    await Promise.all([one.leave(), other.leave()]);
  });

  test("tells who has read what was said, and brings older messages", async () => {
    const { one, other } = await twoPeople();
    const posts: string[] = [];
    for (let at = 0; at < 60; at++) posts.push(await one.chat.post(`message ${at}`));
    await until(other.chat, ({ messages }) => messages.at(-1)?.message === posts.at(-1));
    expect(other.chat.getSnapshot().unread).toBe(60);
    other.chat.read();
    await until(one.chat, () => one.chat.readersOf(posts.at(-1)!).length === 1);
    const late = join(one.room, await guest("Zoe"));
    await until(late.chat, ({ messages }) => messages.length === 50);
    await late.chat.loadAround(posts[0]!);
    expect(late.chat.getSnapshot().messages.map(({ message }) => message)).toEqual(posts);
    await Promise.all([one.leave(), other.leave(), late.leave()]);
  });
});
