/** A button that is only an icon: its name is told by a tooltip and to screen readers. */

import type { ReactNode } from "react";
import { Button, Tooltip, TooltipTrigger } from "react-aria-components";

interface ToolButtonProps {
  readonly label: string;
  /** How the same is done with the keyboard. */
  readonly keys?: string;
  readonly isDisabled?: boolean;
  readonly isPressed?: boolean;
  readonly className?: string;
  onPress(): void;
  readonly children: ReactNode;
}

export function ToolButton({ label, keys, isPressed, className, children, ...button }: ToolButtonProps) {
  return (
    <TooltipTrigger delay={500}>
      <Button
        {...button}
        aria-label={label}
        {...(isPressed === undefined ? {} : { "aria-pressed": isPressed })}
        className={`react-aria-Button tool-button ${className ?? ""}`}
      >
        {children}
      </Button>
      <Tooltip>
        {label}
        {keys === undefined ? null : <kbd>{keys}</kbd>}
      </Tooltip>
    </TooltipTrigger>
  );
}

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** How a key is written on this machine. */
export function keysOf(keys: string): string {
  return isApple
    ? keys.replace("Mod-", "⌘").replace("Alt-", "⌥").replace("Shift-", "⇧")
    : keys.replaceAll("-", "+").replace("Mod", "Ctrl");
}
