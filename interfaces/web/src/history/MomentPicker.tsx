/** A moment of a document: picked from those that have a name, or written: a revision, a time, a name. */

import { ChevronDown } from "lucide-react";
import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover, Text } from "react-aria-components";
import { Waiting } from "../ui/notes.tsx";
import type { MomentChoice } from "./useMomentChoices.ts";

interface MomentPickerProps {
  readonly label: string;
  readonly words: string;
  readonly choices: readonly MomentChoice[];
  /** Whether these are all. */
  readonly isKnown: boolean;
  onWords(words: string): void;
  /** One was picked from the list. */
  onPick?(choice: MomentChoice): void;
}

export function MomentPicker({ label, words, choices, isKnown, onWords, onPick }: MomentPickerProps) {
  return (
    <ComboBox
      className="react-aria-ComboBox moment-picker"
      allowsCustomValue
      allowsEmptyCollection={!isKnown} // so that what comes late is shown to whoever has begun to write
      inputValue={words}
      onInputChange={onWords}
      onSelectionChange={(key) => {
        const choice = choices.find(({ moment }) => moment === key);
        if (choice === undefined) return;
        onWords(choice.words);
        onPick?.(choice);
      }}
      defaultItems={choices}
    >
      <Label>{label}</Label>
      <div className="picker-field">
        <Input placeholder="revision, time, name" spellCheck={false} autoCapitalize="none" />
        <Button className="react-aria-Button quiet" aria-label={`Moments: ${label}`}>
          <ChevronDown aria-hidden="true" />
        </Button>
      </div>
      <Popover>
        <ListBox renderEmptyState={() => <Waiting>The named moments are coming…</Waiting>}>
          {(choice: MomentChoice) => (
            <ListBoxItem id={choice.moment} textValue={choice.words}>
              <Text slot="label">{choice.words}</Text>
              {choice.detail === "" ? null : <Text slot="description">{choice.detail}</Text>}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
