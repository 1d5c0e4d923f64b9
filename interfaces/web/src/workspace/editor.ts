/** The editor, which is large: it is asked for as soon as somebody may want it. */

import { early } from "../ui/early.ts";

export const editor = early(() => import("../editor/Editor.tsx").then(({ Editor }) => Editor));
