/** How one looks to others, everywhere. */

import { ChronoscribeError, initialsOf } from "@chronoscribe/client";
import { useStore } from "@chronoscribe/client/react";
import { useState } from "react";
import {
  Button,
  ColorField,
  ColorSwatch,
  ColorSwatchPicker,
  ColorSwatchPickerItem,
  Form,
  Input,
  Label,
  parseColor,
  Text,
  TextField,
} from "react-aria-components";
import { renameMe } from "../app/identity.ts";
import { Picture } from "../people/Picture.tsx";
import { ErrorNote, wordsOf } from "../ui/notes.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";

/** All of them are read well with white or black on them, and told apart. */
const COLOURS = [
  "#d9480f",
  "#b8860b",
  "#2b8a3e",
  "#0b7285",
  "#1971c2",
  "#4c75f0",
  "#7048e8",
  "#9c36b5",
  "#c2255c",
  "#6b4f3a",
];

export function ProfileDialog({ onDone }: { onDone(): void }) {
  const room = useRoom();
  const api = useApi();
  const { me } = useStore(room.state);
  const [name, setName] = useState(me?.name ?? "");
  const first = /^#[0-9a-f]{6}$/i.test(me?.colour ?? "") ? me!.colour.toLowerCase() : COLOURS[0]!;
  const [colour, setColour] = useState(first);
  const offered = COLOURS.includes(first) ? COLOURS : [first, ...COLOURS];
  const [avatar, setAvatar] = useState(me?.avatar ?? "");
  const [fault, setFault] = useState<unknown>(null);
  const field = fault instanceof ChronoscribeError ? fault.facts.field : undefined;
  const save = async () => {
    await api.data(
      api.raw.PATCH("/api/profile", { body: { name: name.trim(), colour, avatar: avatar.trim() } }),
    );
    renameMe(name.trim());
    onDone();
  };
  const noteOf = (of: string) => (field === of ? <Text slot="errorMessage">{wordsOf(fault)}</Text> : null);
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        save().catch(setFault);
      }}
    >
      <div className="profile-face">
        <Picture looks={{ name, colour, avatar }} initials={initialsOf(name)} />
        <div>
          <strong>{name || "…"}</strong>
          <br />
          <code>{me?.user}</code>
        </div>
      </div>
      <TextField value={name} onChange={setName} maxLength={64} isRequired isInvalid={field === "name"}>
        <Label>Name</Label>
        <Input />
        {noteOf("name")}
      </TextField>
      <div className="field">
        <Label id="colour-label">Colour</Label>
        <ColorSwatchPicker
          aria-labelledby="colour-label"
          value={parseColor(colour)}
          onChange={(picked) => setColour(picked.toString("hex").toLowerCase())}
        >
          {offered.map((each) => (
            <ColorSwatchPickerItem key={each} color={each}>
              <ColorSwatch />
            </ColorSwatchPickerItem>
          ))}
        </ColorSwatchPicker>
        <ColorField
          value={parseColor(colour)}
          onChange={(picked) => {
            if (picked !== null) setColour(picked.toString("hex").toLowerCase());
          }}
          isInvalid={field === "colour"}
        >
          <Label>Or your own</Label>
          <Input />
          {noteOf("colour")}
        </ColorField>
      </div>
      <TextField value={avatar} onChange={setAvatar} type="url" isInvalid={field === "avatar"}>
        <Label>Picture</Label>
        <Input placeholder="https://…" />
        {noteOf("avatar") ?? (
          <Text slot="description">The address of a picture. Without one your initials stand there.</Text>
        )}
      </TextField>
      {fault !== null && field === undefined ? <ErrorNote error={fault} /> : null}
      <div className="dialog-do">
        <Button type="submit" className="react-aria-Button primary">
          Save
        </Button>
      </div>
    </Form>
  );
}
