/** Whom one may mean with the `@` that one is writing. The focus stays where one writes. */

import { type RefObject, useLayoutEffect, useRef } from "react";
import { ListBox, ListBoxItem } from "react-aria-components";
import { Face } from "./Face.tsx";
import type { KnownPerson } from "./useCandidates.ts";

interface MentionListProps {
  readonly people: readonly KnownPerson[];
  readonly active: string | null;
  readonly area: RefObject<HTMLTextAreaElement | null>;
  onPick(person: KnownPerson): void;
}

export function MentionList({ people, active, area, onPick }: MentionListProps) {
  const list = useRef<HTMLDivElement>(null);

  // Screen readers are told of the list by the field, which keeps the focus.
  useLayoutEffect(() => {
    const field = area.current;
    const option = list.current?.querySelector(`[data-key="${CSS.escape(active ?? "")}"]`);
    if (field === null || list.current === null) return;
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.current.id);
    if (option) field.setAttribute("aria-activedescendant", option.id);
    return () => {
      for (const name of ["aria-autocomplete", "aria-controls", "aria-activedescendant"])
        field.removeAttribute(name);
    };
  });

  return (
    <ListBox
      ref={list}
      className="react-aria-ListBox mention-list"
      aria-label="People to mention"
      selectionMode="single"
      selectedKeys={active === null ? [] : [active]}
      items={people.map((person) => ({ ...person, id: person.user }))}
      onAction={(key) => {
        const person = people.find(({ user }) => user === key);
        if (person !== undefined) onPick(person);
      }}
      onSelectionChange={(keys) => {
        const [key] = keys === "all" ? [] : keys;
        // Pressing the one that is chosen takes the choice away.
        const person = people.find(({ user }) => user === (key ?? active));
        if (person !== undefined) onPick(person);
      }}
    >
      {(person) => (
        <ListBoxItem id={person.user} textValue={person.name}>
          <Face user={person.user} />
          <bdi>{person.name}</bdi>
          <span className="mention-id">{person.isHere ? "here" : person.user}</span>
        </ListBoxItem>
      )}
    </ListBox>
  );
}
