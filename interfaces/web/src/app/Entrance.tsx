/** Who are you? Asked once in each window. */

import { ArrowRight, Hourglass } from "lucide-react";
import { useState } from "react";
import { Button, Form, Input, Label, TextField } from "react-aria-components";
import { type Identity, newGuest, remembered, someName, withToken } from "./identity.ts";

interface EntranceProps {
  readonly title: string;
  onEnter(identity: Identity): void;
}

export function Entrance({ title, onEnter }: EntranceProps) {
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
  const known = remembered();
  return (
    <div className="who">
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          onEnter(newGuest(name.trim() || someName()));
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
      {known.length > 0 ? (
        <section aria-label="People of this browser" className="who-known">
          <p>Or go on as</p>
          {known.map((identity) => (
            <Button key={identity.key} onPress={() => onEnter(identity)}>
              {identity.name}
            </Button>
          ))}
        </section>
      ) : null}
      <SignIn onEnter={onEnter} />
    </div>
  );
}

/** For servers with accounts. */
function SignIn({ onEnter }: { onEnter(identity: Identity): void }) {
  const [token, setToken] = useState("");
  return (
    <details className="who-token">
      <summary>Sign in with a token</summary>
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
        <Button type="submit">Sign in</Button>
      </Form>
    </details>
  );
}
