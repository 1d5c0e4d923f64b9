/** What a search is narrowed by. */

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
  Switch,
} from "react-aria-components";
import { useSelected } from "../ui/stores.ts";
import { useRoom } from "../workspace/room.tsx";
import { ANYTHING, type Narrowing } from "./narrowing.ts";
import { recentEmoji } from "./recentEmoji.ts";
import { useCandidates } from "./useCandidates.ts";

interface SearchFiltersProps {
  readonly narrowing: Narrowing;
  onChange(narrowing: Narrowing): void;
}

/** Emoji one may look for in reactions. */
const EMOJI_OFFERED = 8;

export function SearchFilters({ narrowing, onChange }: SearchFiltersProps) {
  const room = useRoom();
  const documents = useSelected(room.state, (state) => state.documents);
  const people = useCandidates();
  const set = (part: Partial<Narrowing>) => onChange({ ...narrowing, ...part });
  return (
    <div className="filters">
      <Choice
        label="Said by"
        any="anybody"
        value={narrowing.author}
        options={people.map(({ user, name }) => [user, name])}
        onChange={(author) => set({ author })}
      />
      <Choice
        label="About"
        any="any document"
        value={narrowing.document}
        options={documents.map((document) => [document, document])}
        onChange={(document) => set({ document })}
      />
      <Choice
        label="Reactions"
        any="does not matter"
        value={narrowing.emoji}
        options={[
          ["", "any reaction"],
          ...recentEmoji(EMOJI_OFFERED).map((emoji) => [emoji, emoji] as const),
        ]}
        onChange={(emoji) => set({ emoji })}
      />
      <label className="filter">
        <span>From</span>
        <input
          type="date"
          className="react-aria-Input"
          value={narrowing.from}
          onChange={({ currentTarget }) => set({ from: currentTarget.value })}
        />
      </label>
      <label className="filter">
        <span>Until</span>
        <input
          type="date"
          className="react-aria-Input"
          value={narrowing.to}
          onChange={({ currentTarget }) => set({ to: currentTarget.value })}
        />
      </label>
      <Switch isSelected={narrowing.mentionsMe} onChange={(mentionsMe) => set({ mentionsMe })}>
        Mentions me
      </Switch>
      <Switch isSelected={narrowing.pinned} onChange={(pinned) => set({ pinned })}>
        Pinned
      </Switch>
      <Button onPress={() => onChange({ ...ANYTHING, q: narrowing.q })}>Clear</Button>
    </div>
  );
}

const ANY = "any:";

interface ChoiceProps {
  readonly label: string;
  readonly any: string;
  readonly value: string | null;
  readonly options: readonly (readonly [value: string, words: string])[];
  onChange(value: string | null): void;
}

/** One of several, or any. Keys have a letter before them: an empty one is none. */
export function Choice({ label, any, value, options, onChange }: ChoiceProps) {
  const choose = (key: Key | null) => onChange(key === null || key === ANY ? null : String(key).slice(1));
  return (
    <Select className="react-aria-Select filter" value={value === null ? ANY : `=${value}`} onChange={choose}>
      <Label>{label}</Label>
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
