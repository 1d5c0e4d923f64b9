/** The page begins here. */

import { StrictMode } from "react";
import { createRoot, type RootOptions } from "react-dom/client";
import { App } from "./app/App.tsx";
import { uncoverPage } from "./app/route.ts";
import { followUpdates } from "./app/updates.ts";
import { NotLoaded } from "./ui/late.ts";
import "./ui/tokens.css";
import "./ui/ui.css";
import "./app/app.css";

uncoverPage();

// Without a network parts may stay away, which is no fault of the page.
const onCaughtError: RootOptions["onCaughtError"] = (error, { componentStack }) =>
  error instanceof NotLoaded ? console.warn(error) : console.error(error, componentStack);

createRoot(document.getElementById("root")!, { onCaughtError }).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

followUpdates();
