/** What the others see of what one is doing: by itself, or as one says. */

import type { PersonStatus } from "@chronoscribe/client";
import { ChevronDown, Sparkles } from "lucide-react";
import { Button, Label, ListBox, ListBoxItem, Popover, Select, SelectValue } from "react-aria-components";
import { STATUS } from "./status.ts";

interface OwnStatusProps {
  readonly declared: PersonStatus | null;
  declare(status: PersonStatus | null): void;
}

const AUTOMATIC = "automatic";

export function OwnStatus({ declared, declare }: OwnStatusProps) {
  return (
    <Select
      className="react-aria-Select own-status"
      value={declared ?? AUTOMATIC}
      onChange={(key) => declare(key === AUTOMATIC ? null : (key as PersonStatus))}
    >
      <Label>Others see you as</Label>
      <Button>
        <SelectValue />
        <ChevronDown aria-hidden="true" />
      </Button>
      <Popover>
        <ListBox>
          <ListBoxItem id={AUTOMATIC} textValue="What you do">
            <span className="own-status-option">
              <Sparkles aria-hidden="true" /> What you do
            </span>
          </ListBoxItem>
          {Object.entries(STATUS).map(([status, { word, Icon }]) => (
            <ListBoxItem key={status} id={status} textValue={word}>
              <span className="own-status-option">
                <Icon aria-hidden="true" /> {word}
              </span>
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}
