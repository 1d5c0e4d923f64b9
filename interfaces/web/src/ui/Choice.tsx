/** A choice of one of several, or any. */

import { ChevronDown } from "lucide-react";
import {
  Button,
  type Key,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
} from "react-aria-components";
import "./choice.css";

const ANY = "any:";

interface ChoiceProps {
  readonly label: string;
  /** False where the words of `any` say enough. */
  readonly isLabelShown?: boolean;
  readonly any: string;
  readonly value: string | null;
  readonly options: readonly (readonly [value: string, words: string])[];
  onChange(value: string | null): void;
}

/** One of several, or any. Keys have a letter before them: an empty one is none. */
export function Choice({ label, isLabelShown = true, any, value, options, onChange }: ChoiceProps) {
  const choose = (key: Key | null) => onChange(key === null || key === ANY ? null : String(key).slice(1));
  return (
    <Select className="react-aria-Select choice" value={value === null ? ANY : `=${value}`} onChange={choose}>
      <Label className={isLabelShown ? "react-aria-Label" : "for-ears"}>{label}</Label>
      <Button>
        <SelectValue />
        <ChevronDown aria-hidden="true" />
      </Button>
      <Popover>
        <ListBox>
          <ListBoxItem id={ANY} textValue={any}>
            {any}
          </ListBoxItem>
          {options.map(([key, words]) => (
            <ListBoxItem key={key} id={`=${key}`} textValue={words}>
              <bdi>{words}</bdi>
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}
