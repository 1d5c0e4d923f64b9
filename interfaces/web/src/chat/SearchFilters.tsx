/** What a search is narrowed by. */
import { Button, Switch } from "react-aria-components";
import { Choice } from "../ui/Choice.tsx";
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
    <div className="choices">
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
      <label className="choice">
        <span>From</span>
        <input
          type="date"
          className="react-aria-Input"
          value={narrowing.from}
          onChange={({ currentTarget }) => set({ from: currentTarget.value })}
        />
      </label>
      <label className="choice">
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
