import { TimedOut, within } from "@chronoscribe/client";
import { expect, test } from "vitest";

test("a promise that does not settle in time is waited for no longer", async () => {
  await expect(within(0.01, "an answer", new Promise(() => {}))).rejects.toThrow(TimedOut);
});

test("one that settles in time is as it was", async () => {
  expect(await within(5, "an answer", Promise.resolve(7))).toBe(7);
  await expect(within(5, "an answer", Promise.reject(new Error("no")))).rejects.toThrow("no");
});
