/** The page is kept by the browser, so that it opens without a network; and says when there is a newer one. */

import { registerSW } from "virtual:pwa-register";
import { tell } from "../ui/toasts.tsx";

/** Keeping the page means loading all of it: not while somebody waits for the first part. */
const AFTER_MS = 4_000;

export function followUpdates(): void {
  window.setTimeout(() => {
    const update = registerSW({
      onNeedRefresh: () =>
        tell({
          text: "There is a newer version of this page.",
          stays: true,
          action: { label: "Load it", run: () => void update(true) },
        }),
    });
  }, AFTER_MS);
}
