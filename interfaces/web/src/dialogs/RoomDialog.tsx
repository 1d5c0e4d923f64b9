/** The room: its title, who may come in and do what, links that let somebody in, and its past as files. */

import type { Role } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { useState } from "react";
import { Button, Form, Input, Label, Tab, TabList, TabPanel, Tabs, TextField } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { Invitations } from "./Invitations.tsx";
import { Members } from "./Members.tsx";
import { RoleSelect } from "./RoleSelect.tsx";
import { Sealing } from "./Sealing.tsx";
import { TakeOut } from "./TakeOut.tsx";
import { useSeen } from "./useSeen.ts";

export function RoomDialog() {
  const { me } = useStore(useRoom().state);
  const isOwner = me?.role === "owner";
  return (
    <Tabs className="react-aria-Tabs room-dialog">
      <TabList aria-label="About the room">
        <Tab id="members">Members</Tab>
        {isOwner ? <Tab id="invitations">Invitations</Tab> : null}
        <Tab id="room">Room</Tab>
        {isOwner ? <Tab id="files">Files</Tab> : null}
      </TabList>
      <TabPanel id="members">
        <Members isOwner={isOwner} />
      </TabPanel>
      {isOwner ? (
        <TabPanel id="invitations">
          <Invitations />
        </TabPanel>
      ) : null}
      <TabPanel id="room">
        <About isOwner={isOwner} />
      </TabPanel>
      {isOwner ? (
        <TabPanel id="files">
          <TakeOut />
        </TabPanel>
      ) : null}
    </Tabs>
  );
}

function About({ isOwner }: { readonly isOwner: boolean }) {
  const room = useRoom();
  const api = useApi();
  const { title: present, everyone } = useStore(room.state);
  const changeSeen = useSeen();
  const [title, setTitle] = useState(present);
  const [isSure, setIsSure] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const params = { path: { room: room.room } };
  const change = (body: { title?: string; everyone?: "viewer" | "commenter" | "editor" | null }) => {
    setFault(null);
    changeSeen((headers) => api.raw.PATCH("/api/rooms/{room}", { params, body, headers })).catch(setFault);
  };
  const close = () =>
    changeSeen((headers) => api.raw.DELETE("/api/rooms/{room}", { params, headers })).catch(setFault);
  return (
    <div className="about-room">
      <p>
        The room's id is <code>{room.room}</code>.
      </p>
      {isOwner ? (
        <Form
          className="react-aria-Form inline"
          onSubmit={(event) => {
            event.preventDefault();
            change({ title: title.trim() });
          }}
        >
          <TextField value={title} onChange={setTitle} maxLength={64} isRequired>
            <Label>Title</Label>
            <Input />
          </TextField>
          <Button type="submit" isDisabled={title.trim() === present || title.trim() === ""}>
            Rename
          </Button>
        </Form>
      ) : null}
      <RoleSelect
        label="Who is no member may"
        value={everyone}
        roles={["viewer", "commenter", "editor", null]}
        isDisabled={!isOwner}
        onChange={(role) => change({ everyone: role as Exclude<Role, "owner"> | null })}
      />
      {isOwner ? <Sealing change={changeSeen} onFault={setFault} /> : null}
      {isOwner ? (
        <section className="dangerous">
          <h3>Close the room</h3>
          <p>Nobody comes in any more, for good. Its history stays in the log.</p>
          {isSure ? (
            <Button className="react-aria-Button bad" onPress={() => void close()}>
              Close it for everybody, for good
            </Button>
          ) : (
            <Button onPress={() => setIsSure(true)}>Close the room…</Button>
          )}
        </section>
      ) : null}
      {fault !== null ? <ErrorNote error={fault} /> : null}
    </div>
  );
}
