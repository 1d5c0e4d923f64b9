import { expect, test } from "vitest";
import { newId } from "../src/ids.ts";

test("ids are new, and none looks like an option of a command", () => {
  const ids = Array.from({ length: 1_000 }, newId);
  expect(new Set(ids).size).toBe(1_000);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z][A-Za-z0-9_-]{21}$/);
});
