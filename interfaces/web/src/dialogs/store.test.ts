import { expect, test } from "vitest";
import { useDialogs } from "./store.ts";

const unsent = (document: string) =>
  ({ kind: "unsent", unsent: { document, code: "E_EPOCH", why: "", inserted: [], text: document } }) as const;

test("every text that was not taken is shown, one after the other", () => {
  const { open, close } = useDialogs.getState();
  open(unsent("one.md"));
  open(unsent("two.md"));
  expect(useDialogs.getState().dialog).toEqual(unsent("one.md"));
  close();
  expect(useDialogs.getState().dialog).toEqual(unsent("two.md"));
  close();
  expect(useDialogs.getState().dialog).toBeNull();
});

test("another dialog takes the place of the one that is open", () => {
  const { open, close } = useDialogs.getState();
  open({ kind: "room" });
  open({ kind: "shortcuts" });
  expect(useDialogs.getState().dialog).toEqual({ kind: "shortcuts" });
  close();
  expect(useDialogs.getState().dialog).toBeNull();
});
