/** The page is kept by the browser, so that it opens without a network; and says when there is a newer one. */

import { registerSW } from "virtual:pwa-register";
import { tell } from "../ui/toasts.tsx";

export function followUpdates(): void {
  const update = registerSW({
    onNeedRefresh: () =>
      tell({
        text: "There is a newer version of this page.",
        stays: true,
        action: { label: "Load it", run: () => void update(true) },
      }),
  });
}
