/** The chat as a file: out in three formats, and in again. */

import { Download, EllipsisVertical, Upload } from "lucide-react";
import { useRef } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { wordsOf } from "../ui/notes.tsx";
import { saveFile } from "../ui/saveFile.ts";
import { tell } from "../ui/toasts.tsx";
import { useApi, useRoom } from "../workspace/room.tsx";
import { useChatPanel } from "./context.ts";

const FORMATS = { json: "JSON", csv: "CSV", txt: "text" } as const;

export function ChatFiles() {
  const { room } = useRoom();
  const api = useApi();
  const { role } = useChatPanel();
  const input = useRef<HTMLInputElement>(null);

  const fetchFile = async (format: string) => {
    try {
      saveFile(await api.file(`/api/rooms/${encodeURIComponent(room)}/messages/export`, { format }));
    } catch (error) {
      tell(`The chat cannot be exported: ${wordsOf(error)}`);
    }
  };
  const bring = async (file: File) => {
    try {
      const body = JSON.parse(await file.text());
      const { added, known } = await api.data(
        api.raw.POST("/api/rooms/{room}/messages/import", { params: { path: { room } }, body }),
      );
      tell(`${added} messages came in${known > 0 ? `, ${known} were here already` : ""}.`);
    } catch (error) {
      const isJson = !(error instanceof SyntaxError);
      tell(`Nothing was imported: ${isJson ? wordsOf(error) : "this is not an export as JSON"}`);
    }
  };

  return (
    <>
      <MenuTrigger>
        <Button className="react-aria-Button tool-button" aria-label="The chat as a file">
          <EllipsisVertical aria-hidden="true" />
        </Button>
        <Popover placement="bottom end">
          <Menu
            aria-label="The chat as a file"
            onAction={(key) => {
              if (key === "import") input.current?.click();
              else void fetchFile(String(key));
            }}
          >
            {Object.entries(FORMATS).map(([format, words]) => (
              <MenuItem key={format} id={format} textValue={`Export as ${words}`}>
                <span className="with-icon">
                  <Download aria-hidden="true" /> Export as {words}
                </span>
              </MenuItem>
            ))}
            {role === "owner" ? (
              <MenuItem id="import" textValue="Import an export">
                <span className="with-icon">
                  <Upload aria-hidden="true" /> Import an export…
                </span>
              </MenuItem>
            ) : null}
          </Menu>
        </Popover>
      </MenuTrigger>
      <input
        ref={input}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label="An export as JSON"
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          if (file !== undefined) void bring(file);
          currentTarget.value = "";
        }}
      />
    </>
  );
}
