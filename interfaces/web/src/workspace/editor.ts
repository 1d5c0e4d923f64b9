/** The editor, which is large: it is asked for as soon as somebody may want it. */

import { late } from "../ui/late.ts";

export const Editor = late(() => import("../editor/Editor.tsx").then((m) => m.Editor));
