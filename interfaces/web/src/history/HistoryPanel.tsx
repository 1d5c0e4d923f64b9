/** The past, beside the text: what went on, who wrote what, what differs, versions, search, and bisect. */

import { useStore } from "@chronoscribe/client/react";
import {
  Bug,
  FileClock,
  GitCompareArrows,
  History,
  type LucideIcon,
  TextSearch,
  UsersRound,
} from "lucide-react";
import { useEffect, useRef } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { Nothing } from "../ui/notes.tsx";
import { useRoom } from "../workspace/room.tsx";
import { type HistoryRequest, useWorkspace } from "../workspace/store.ts";
import { Bisect } from "./Bisect.tsx";
import { Blame } from "./Blame.tsx";
import { Compare } from "./Compare.tsx";
import { MomentCard } from "./MomentCard.tsx";
import { SearchPast } from "./SearchPast.tsx";
import { useHistory, type View } from "./store.ts";
import { Timeline } from "./Timeline.tsx";
import { Versions } from "./Versions.tsx";
import "../editor/editor.css";
import "./history.css";
import "./marks.css";

const VIEWS: readonly [View, string, LucideIcon][] = [
  ["timeline", "Timeline", History],
  ["versions", "Versions", FileClock],
  ["compare", "Compare", GitCompareArrows],
  ["blame", "Blame", UsersRound],
  ["search", "Search", TextSearch],
  ["bisect", "Bisect", Bug],
];

export function HistoryPanel() {
  const { view, setView, moment } = useHistory();
  useRequests();
  return (
    <div className="past-panel">
      <Tabs selectedKey={view} onSelectionChange={(key) => setView(key as View)}>
        <TabList aria-label="Ways into the past" className="react-aria-TabList past-ways">
          {VIEWS.map(([id, title, Icon]) => (
            <Tab key={id} id={id}>
              <Icon aria-hidden="true" />
              <span>{title}</span>
            </Tab>
          ))}
        </TabList>
        {moment === null ? null : (
          <MomentCard key={`${moment.document} ${moment.revision} ${moment.position}`} moment={moment} />
        )}
        {/* What was found below is still there when one comes back from a moment. */}
        <TabPanel id={view} hidden={moment !== null}>
          <Shown view={view} />
        </TabPanel>
      </Tabs>
    </div>
  );
}

function Shown({ view }: { readonly view: View }) {
  const document = useShownDocument();
  const comparison = useHistory((state) => state.comparison);
  const blame = useHistory((state) => state.blame);
  if (view === "timeline") return <Timeline />;
  if (view === "search") return <SearchPast key={document} document={document} />;
  if (document === null) return <Nothing>Open a document first.</Nothing>;
  switch (view) {
    case "versions":
      return <Versions key={document} document={document} />;
    case "compare": {
      const compared = comparison?.document ?? document;
      return <Compare key={compared} document={compared} />;
    }
    case "blame": {
      const blamed = blame ?? { document, revision: null };
      return <Blame key={`${blamed.document} ${blamed.revision}`} {...blamed} />;
    }
    case "bisect":
      return <Bisect key={document} document={document} />;
  }
}

/** In the past that of the stage, else the one in the editor. */
function useShownDocument(): string | null {
  const active = useWorkspace((state) => state.active);
  const document = useHistory((state) => state.staged ?? active);
  const before = useRef(document);
  useEffect(() => {
    if (before.current === document) return;
    before.current = document;
    useHistory.getState().turnTo(document);
  }, [document]);
  return document;
}

/** What other parts of the page have asked to be shown. */
function useRequests(): void {
  const room = useRoom();
  const request = useWorkspace((state) => state.historyRequest);
  const isOnline = useStore(room.connection).status === "online";
  useEffect(() => {
    if (request === null || !isOnline) return;
    useWorkspace.getState().historyShown();
    void follow(request);
    async function follow(asked: HistoryRequest) {
      const { ask, enter, setView } = useHistory.getState();
      if (asked.kind === "message" || asked.kind === "moment") {
        setView("timeline");
        await enter(room, asked.at);
      } else {
        const position = asked.kind === "character" ? asked.position : null;
        ask({ document: asked.document, revision: asked.revision, position });
      }
    }
  }, [request, room, isOnline]);
}
