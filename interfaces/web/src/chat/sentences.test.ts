import { expect, test } from "vitest";
import { listed, reactionSentence, typingSentence } from "./sentences.ts";

test("people are listed as one would say it", () => {
  expect(listed([])).toBe("");
  expect(listed(["Ada"])).toBe("Ada");
  expect(listed(["Ada", "Ben"])).toBe("Ada and Ben");
  expect(listed(["Ada", "Ben", "Cleo"])).toBe("Ada, Ben and Cleo");
  expect(listed(["Ada", "Ben", "Cleo", "Dan"])).toBe("Ada, Ben and 2 others");
});

test("those who type are named as long as they are few", () => {
  expect(typingSentence([])).toBe("");
  expect(typingSentence(["Ada"])).toBe("Ada is typing…");
  expect(typingSentence(["Ada", "Ben"])).toBe("Ada and Ben are typing…");
  expect(typingSentence(["A", "B", "C", "D"])).toBe("Several people are typing…");
});

test("reactions are told with who reacted", () => {
  expect(reactionSentence(["Ada", "Ben"], "👍")).toBe("Ada and Ben reacted with 👍");
});
