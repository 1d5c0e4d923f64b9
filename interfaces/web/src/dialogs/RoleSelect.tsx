/** What somebody may do in the room. */

import type { Role } from "@chronoscribe/client";
import { ChevronDown } from "lucide-react";
import {
  Button,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  Text,
} from "react-aria-components";

const WORDS: Readonly<Record<Role | "none", readonly [string, string]>> = {
  viewer: ["View", "read, look back, be seen"],
  commenter: ["Comment", "and talk in the chat"],
  editor: ["Edit", "and write in the documents"],
  owner: ["Own", "and decide about the room"],
  none: ["Nothing", "members only"],
};

interface RoleSelectProps {
  readonly label: string;
  readonly hidesLabel?: boolean;
  readonly value: Role | null;
  readonly roles: readonly (Role | null)[];
  /** It is told and cannot be changed. */
  readonly isDisabled?: boolean;
  onChange(role: Role | null): void;
}

export function RoleSelect({
  label,
  hidesLabel,
  value,
  roles,
  isDisabled = false,
  onChange,
}: RoleSelectProps) {
  if (isDisabled)
    return (
      <p className="role">
        {hidesLabel ? null : <span className="react-aria-Label">{label}</span>}
        {WORDS[value ?? "none"][0]}
      </p>
    );
  return (
    <Select
      {...(hidesLabel ? { "aria-label": label } : {})}
      selectedKey={value ?? "none"}
      onSelectionChange={(key) => onChange(key === "none" ? null : (key as Role))}
    >
      {hidesLabel ? null : <Label>{label}</Label>}
      <Button>
        <SelectValue>{() => WORDS[value ?? "none"][0]}</SelectValue>
        <ChevronDown aria-hidden="true" />
      </Button>
      <Popover>
        <ListBox>
          {roles.map((role) => {
            const [title, words] = WORDS[role ?? "none"];
            return (
              <ListBoxItem key={role ?? "none"} id={role ?? "none"} textValue={title}>
                <Text slot="label">{title}</Text>
                <Text slot="description">{words}</Text>
              </ListBoxItem>
            );
          })}
        </ListBox>
      </Popover>
    </Select>
  );
}
