/** Short words at the edge of the page, for what has happened elsewhere; they go by themselves. */

import { X } from "lucide-react";
import { Button } from "react-aria-components";
import { create } from "zustand";

/** Long enough to read two lines, and to reach for the button. */
const SHOWN_MS = 7_000;
/** More would cover the page. */
const AT_ONCE = 4;

export interface Toast {
  readonly text: string;
  readonly tone?: "plain" | "good" | "bad";
  readonly action?: { readonly label: string; run(): void };
  /** Stays until somebody has closed it. */
  readonly stays?: boolean;
}

interface Toasts {
  readonly toasts: readonly (Toast & { readonly id: number })[];
  close(id: number): void;
}

const useToasts = create<Toasts>()((set) => ({
  toasts: [],
  close: (id) => set(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) })),
}));

let last = 0;

export function tell(toast: Toast | string): void {
  const id = ++last;
  const told = typeof toast === "string" ? { text: toast } : toast;
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts, { ...told, id }].slice(-AT_ONCE) }));
  if (!told.stays) setTimeout(() => useToasts.getState().close(id), SHOWN_MS);
}

export function ToastRegion() {
  const { toasts, close } = useToasts();
  return (
    <section className="toasts" aria-label="Notices" aria-live="polite">
      {toasts.map(({ id, text, tone = "plain", action }) => (
        <div key={id} className={`toast ${tone}`}>
          <p>{text}</p>
          {action ? (
            <Button
              onPress={() => {
                close(id);
                action.run();
              }}
            >
              {action.label}
            </Button>
          ) : null}
          <Button aria-label="Close" className="react-aria-Button quiet" onPress={() => close(id)}>
            <X aria-hidden="true" />
          </Button>
        </div>
      ))}
    </section>
  );
}
