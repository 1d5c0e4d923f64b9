/** Who was here at that moment; a press on one goes along with them. */

import { initialsOf, type Stage } from "@chronoscribe/client";
import { Button, Tooltip, TooltipTrigger } from "react-aria-components";
import { Picture } from "../people/Picture.tsx";
import { useHistory } from "./store.ts";

/** More would push the moment out of the bar; the panel has all of them. */
const SHOWN = 6;

export function PastFaces({ stage }: { readonly stage: Stage }) {
  const { person, followPerson } = useHistory();
  const people = [...new Map([...stage.people.values()].map((each) => [each.user, each])).values()];
  return (
    <ul className="past-faces" aria-label="Who was here">
      {people.slice(0, SHOWN).map((each) => (
        <li key={each.user} data-followed={each.user === person || undefined}>
          <TooltipTrigger delay={300}>
            <Button
              className="react-aria-Button quiet"
              aria-label={`Follow ${each.name}`}
              aria-pressed={each.user === person}
              onPress={() => followPerson(each.user === person ? null : each.user)}
            >
              <Picture looks={each} initials={initialsOf(each.name)} />
            </Button>
            <Tooltip>
              {each.name}, {each.status}
              {each.cursor === null ? "" : ` in ${each.cursor.document}`}
            </Tooltip>
          </TooltipTrigger>
        </li>
      ))}
      {people.length > SHOWN ? <li className="past-others">+{people.length - SHOWN}</li> : null}
    </ul>
  );
}
