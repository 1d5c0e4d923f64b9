/** Who are you? Asked once in each window. */

import { ApiError } from "@chronoscribe/client";
import { ArrowRight, Hourglass } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, Form, Input, Label, TextField } from "react-aria-components";
import { ErrorNote } from "../ui/notes.tsx";
import { Editor } from "../workspace/editor.ts";
import { credentialsOf, type Identity, newGuest, remembered, someName, withToken } from "./identity.ts";

/** What a server with accounts answers to somebody who would be a guest. */
const NO_GUESTS = 404;

interface EntranceProps {
  readonly title: string;
  onEnter(identity: Identity): void;
}

export function Entrance({ title, onEnter }: EntranceProps) {
  useEffect(Editor.ask, []);
  return (
    <main className="entrance">
      <Hourglass className="entrance-mark" aria-hidden="true" />
      <h1>Chronoscribe</h1>
      <p>
        You are about to come into <strong>{title}</strong>.
      </p>
      <WhoAreYou verb="Join" onEnter={onEnter} />
    </main>
  );
}

interface WhoAreYouProps {
  /** What the button says. */
  readonly verb: string;
  onEnter(identity: Identity): void;
}

export function WhoAreYou({ verb, onEnter }: WhoAreYouProps) {
  const [name, setName] = useState(someName);
  const [isComing, setIsComing] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const known = remembered();
  /** Only who the server knows, or makes a guest of, is somebody. */
  const enter = async (identity: Identity) => {
    if (isComing) return;
    setIsComing(true);
    setFault(null);
    try {
      await credentialsOf(identity, () => undefined).token();
      onEnter(identity);
    } catch (error) {
      setFault(error);
      setIsComing(false);
    }
  };
  if (fault instanceof ApiError && fault.status === NO_GUESTS)
    return (
      <div className="who">
        <p>
          This server has accounts. Come in with a token of yours: whoever runs the server gives them out.
        </p>
        <TokenForm onEnter={onEnter} />
      </div>
    );
  return (
    <div className="who">
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          void enter(newGuest(name.trim() || someName()));
        }}
      >
        <TextField value={name} onChange={setName} maxLength={64} autoComplete="nickname">
          <Label>Your name</Label>
          <Input onFocus={(event) => event.currentTarget.select()} />
        </TextField>
        <Button type="submit" className="react-aria-Button primary">
          {verb} <ArrowRight aria-hidden="true" />
        </Button>
      </Form>
      {fault === null ? null : <ErrorNote error={fault} />}
      {known.length > 0 ? (
        <section aria-label="People of this browser" className="who-known">
          <p>Or go on as</p>
          {known.map((identity) => (
            <Button key={identity.key} onPress={() => void enter(identity)}>
              {identity.name}
            </Button>
          ))}
        </section>
      ) : null}
      <details className="who-token">
        <summary>Sign in with a token</summary>
        <TokenForm onEnter={onEnter} />
      </details>
    </div>
  );
}

/** For servers with accounts. */
function TokenForm({ onEnter }: { onEnter(identity: Identity): void }) {
  const [token, setToken] = useState("");
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== "") void withToken(token.trim()).then(onEnter);
      }}
    >
      <TextField value={token} onChange={setToken} type="password" autoComplete="off">
        <Label>Token of your account</Label>
        <Input />
      </TextField>
      <Button type="submit" isDisabled={token.trim() === ""}>
        Sign in
      </Button>
    </Form>
  );
}
