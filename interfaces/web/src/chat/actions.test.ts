import { expect, test } from "vitest";
import { actionsFor } from "./actions.ts";
import { asMessage } from "./rows.ts";

const pending = { message: "m", text: "hi", reply_to: null, link: null, state: "sent", why: "" } as const;
const message = asMessage(pending, "ada", 1);

test("a viewer reads only", () => {
  expect(actionsFor(message, "eve", "viewer")).toEqual(["copy", "readers", "moment"]);
  expect(actionsFor(message, "ada", "viewer")).not.toContain("edit");
});

test("a commenter changes and deletes what they said, and pins nothing", () => {
  expect(actionsFor(message, "ada", "commenter")).toEqual(
    expect.arrayContaining(["react", "reply", "edit", "delete"]),
  );
  expect(actionsFor(message, "ada", "commenter")).not.toContain("pin");
  expect(actionsFor(message, "ben", "commenter")).not.toContain("edit");
  expect(actionsFor(message, "ben", "commenter")).not.toContain("delete");
});

test("an editor pins, an owner deletes anybody's messages", () => {
  expect(actionsFor(message, "ben", "editor")).toContain("pin");
  expect(actionsFor({ ...message, pinned: 1 }, "ben", "editor")).toContain("unpin");
  expect(actionsFor(message, "ben", "editor")).not.toContain("delete");
  expect(actionsFor(message, "ben", "owner")).toContain("delete");
});

test("an owner alone removes a message from the past as well", () => {
  expect(actionsFor(message, "ben", "owner")).toContain("redact");
  expect(actionsFor(message, "ada", "editor")).not.toContain("redact");
});

test("of a deleted message its author and owners may look up what it said", () => {
  const deleted = { ...message, deleted: 1, text: "" };
  expect(actionsFor(deleted, "ben", "editor")).toEqual([]);
  expect(actionsFor(deleted, "ada", "viewer")).toEqual(["history"]);
  expect(actionsFor(deleted, "ben", "owner")).toEqual(["history", "redact"]);
});
