/** The examples that people read are those that were checked and run. */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { build } from "vite";
import { describe, expect, test } from "vitest";
import { guest, url } from "./server.ts";

const here = (path: string) => new URL(path, import.meta.url).pathname;
const read = (path: string) => readFileSync(here(path), "utf8");

const SHOWN: readonly [document: string, examples: readonly string[]][] = [
  ["../README.md", ["browser", "node", "react-native"]],
  ["../../../docs/embedding.md", ["codemirror", "textarea"]],
];

test.each(SHOWN)("%s shows the examples as they are", (document, examples) => {
  const blocks = [...read(document).matchAll(/```ts\n(.*?)```/gs)].map((found) => found[1]);
  expect(blocks).toEqual(examples.map((name) => read(`../examples/${name}.ts`)));
});

describe.skipIf(url === undefined)("the example for Node", () => {
  test("writes into the demo room", async () => {
    const outDir = here("../node_modules/.examples");
    await build({
      configFile: false,
      logLevel: "silent",
      build: {
        outDir,
        ssr: here("../examples/node.ts"),
        target: "node20",
      },
      ssr: { noExternal: true },
    });
    await promisify(execFile)(process.execPath, [`${outDir}/node.js`], {
      env: { ...process.env, CHRONOSCRIBE_URL: url },
      timeout: 30_000,
    });
    const headers = { Authorization: `Bearer ${await guest("Reader")}` };
    const told = await (await fetch(`${url}/api/rooms/demo/documents/log.md`, { headers })).json();
    expect((told as { text: string }).text).toContain("hello from Node");
  });
});
