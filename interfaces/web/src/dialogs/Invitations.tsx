/** Links that let somebody in: made, copied, and taken back. */

import type { Role } from "@chronoscribe/client";
import { Copy, Trash2 } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { Button, Form, Group, Input, Label, NumberField } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { ErrorNote } from "../ui/notes.tsx";
import { dayAndTime } from "../ui/time.ts";
import { useApi, useRoom } from "../workspace/room.tsx";
import { RoleSelect } from "./RoleSelect.tsx";

const DAY_SECONDS = 86_400;
/** As long as the server lets one live. */
const MOST_DAYS = 90;

interface Listed {
  readonly invitation: string;
  readonly role: string;
  readonly expires: number;
  readonly uses: number | null;
}

export function Invitations() {
  const room = useRoom();
  const api = useApi();
  const [role, setRole] = useState<Role>("editor");
  const [days, setDays] = useState(7);
  const [uses, setUses] = useState<number>(Number.NaN);
  const [link, setLink] = useState<string | null>(null);
  const [isCopied, setIsCopied] = useState(false);
  const [listed, setListed] = useState<readonly Listed[]>([]);
  const [fault, setFault] = useState<unknown>(null);
  const load = useCallback(() => {
    const params = { path: { room: room.room } };
    api
      .data(api.raw.GET("/api/rooms/{room}/invitations", { params }))
      .then(({ invitations }) => setListed(invitations))
      .catch(setFault);
  }, [api, room]);
  useEffect(load, [load]);
  const make = async () => {
    const body = { role, expires_in: days * DAY_SECONDS, ...(Number.isNaN(uses) ? {} : { uses }) };
    const params = { path: { room: room.room } };
    const made = await api.data(api.raw.POST("/api/rooms/{room}/invitations", { params, body }));
    setLink(made.link);
    setIsCopied(false);
    load();
  };
  const revoke = (invitation: string) =>
    api
      .data(
        api.raw.DELETE("/api/rooms/{room}/invitations/{invitation}", {
          params: { path: { room: room.room, invitation } },
        }),
      )
      .then(load)
      .catch(setFault);
  return (
    <div className="invitations">
      <Form
        className="react-aria-Form inline"
        onSubmit={(event) => {
          event.preventDefault();
          setFault(null);
          make().catch(setFault);
        }}
      >
        <RoleSelect
          label="Whoever comes by it may"
          value={role}
          roles={["viewer", "commenter", "editor", "owner"]}
          onChange={(picked) => setRole(picked!)}
        />
        <NumberField value={days} onChange={setDays} minValue={1} maxValue={MOST_DAYS}>
          <Label>Good for days</Label>
          <Group>
            <Input />
          </Group>
        </NumberField>
        <NumberField value={uses} onChange={setUses} minValue={1} maxValue={1000}>
          <Label>For so many people</Label>
          <Group>
            <Input placeholder="any number" />
          </Group>
        </NumberField>
        <Button type="submit" className="react-aria-Button primary">
          Make a link
        </Button>
      </Form>
      {link !== null ? (
        <p className="new-link" role="status">
          <code>{link}</code>
          <Button onPress={() => void navigator.clipboard.writeText(link).then(() => setIsCopied(true))}>
            <Copy aria-hidden="true" /> {isCopied ? "Copied" : "Copy"}
          </Button>
          <span>It is shown here only once.</span>
        </p>
      ) : null}
      <ul>
        {listed.map(({ invitation, role: as, expires, uses: left }) => (
          <li key={invitation}>
            <span>
              as {as}, {left === null ? "for any number of people" : `for ${left} more`}, until{" "}
              {dayAndTime(expires)}
            </span>
            <ToolButton label="Take it back" onPress={() => void revoke(invitation)}>
              <Trash2 aria-hidden="true" />
            </ToolButton>
          </li>
        ))}
      </ul>
      {fault !== null ? <ErrorNote error={fault} /> : null}
    </div>
  );
}
