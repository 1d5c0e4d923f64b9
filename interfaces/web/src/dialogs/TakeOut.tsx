/** What a room holds as files: its log and what analysts see of it, and what proves that nothing was changed. */

import { FileCheck2, FileDown } from "lucide-react";
import { useState } from "react";
import { Button } from "react-aria-components";
import { Choice } from "../ui/Choice.tsx";
import { ErrorNote } from "../ui/notes.tsx";
import { saveFile } from "../ui/saveFile.ts";
import { useApi, useRoom } from "../workspace/room.tsx";

/** The views of analysts, in the words of the page. */
const TABLES = {
  edits: "Edits",
  messages: "Messages",
  reactions: "Reactions",
  receipts: "Who has read what",
  documents: "Documents",
  revisions: "Named versions",
  runs: "Runs",
  redactions: "What was removed for good",
  rooms: "The room",
  membership_changes: "Changes of members",
  memberships: "Members over time",
  permissions: "Who could do what, over time",
  lockouts: "Who was kept out",
  stays: "Who was here",
  presence: "Status over time",
  cursors: "Cursors",
} as const;

const FORMATS = { csv: "CSV", parquet: "Parquet" } as const;

export function TakeOut() {
  return (
    <div className="take-out">
      <Export />
      <Proof />
    </div>
  );
}

/** A file of the room, and what there is to say while it is on its way. */
function useRoomFile() {
  const { room } = useRoom();
  const api = useApi();
  const [isLoading, setIsLoading] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const load = async (path: string, name: string, query: Readonly<Record<string, string>> = {}) => {
    setIsLoading(true);
    setFault(null);
    try {
      const { blob } = await api.file(`/api/rooms/${encodeURIComponent(room)}/${path}`, query);
      saveFile({ blob, name: `${room}-${name}` });
    } catch (error) {
      setFault(error);
    } finally {
      setIsLoading(false);
    }
  };
  return { load, isLoading, note: fault === null ? null : <ErrorNote error={fault} /> };
}

function Export() {
  const [table, setTable] = useState<string | null>(null);
  const [format, setFormat] = useState<string | null>(null);
  const { load, isLoading, note } = useRoomFile();
  const query = { what: table ?? "events", format: format ?? "jsonl" };
  return (
    <section>
      <h3>The past as a table</h3>
      <p className="hint">For spreadsheets, notebooks and databases. All of it is as of one moment.</p>
      <div className="take-out-choices">
        <Choice
          label="What"
          any="The log: every event"
          value={table}
          options={Object.entries(TABLES)}
          onChange={setTable}
        />
        <Choice
          label="As"
          any="JSON Lines"
          value={format}
          options={Object.entries(FORMATS)}
          onChange={setFormat}
        />
        <Button
          isPending={isLoading}
          onPress={() => void load("export", `${query.what}.${query.format}`, query)}
        >
          <FileDown aria-hidden="true" /> {isLoading ? "Being written…" : "Download the table"}
        </Button>
      </div>
      {note}
    </section>
  );
}

function Proof() {
  const { load, isLoading, note } = useRoomFile();
  return (
    <section>
      <h3>Proof of the past</h3>
      <p className="hint">
        The events of this room, and what ties them to a checkpoint that the server has signed. Whoever has
        the file checks it alone, by <code>chronoscribe verify --proof FILE</code>: that nothing in it was
        changed.
      </p>
      <Button isPending={isLoading} onPress={() => void load("proof", "proof.jsonl")}>
        <FileCheck2 aria-hidden="true" /> {isLoading ? "Being written…" : "Download the proof"}
      </Button>
      {note}
    </section>
  );
}
