/** The page begins here. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import { uncoverPage } from "./app/route.ts";
import { followUpdates } from "./app/updates.ts";
import "./ui/tokens.css";
import "./ui/ui.css";
import "./app/app.css";

uncoverPage();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

followUpdates();
