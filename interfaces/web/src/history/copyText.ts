import { tell } from "../ui/toasts.tsx";

/** Onto the clipboard, and say so. */
export function copyText(text: string, told: string): void {
  navigator.clipboard.writeText(text).then(
    () => tell({ text: told, tone: "good" }),
    () => tell({ text: "The browser does not let this page copy.", tone: "bad" }),
  );
}
