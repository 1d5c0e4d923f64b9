import { expect, test } from "vitest";
import { bytesLeft, MESSAGE_BYTES } from "./size.ts";

test("the size of a message is told when it comes near what can be sent", () => {
  expect(bytesLeft("short")).toBeNull();
  expect(bytesLeft("a".repeat(MESSAGE_BYTES))).toBe(0);
  expect(bytesLeft("é".repeat(MESSAGE_BYTES / 2 + 1))).toBe(-2);
  expect(bytesLeft("😀".repeat(MESSAGE_BYTES / 4))).toBe(0);
});
