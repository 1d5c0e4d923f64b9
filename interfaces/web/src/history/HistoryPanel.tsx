/** The past, beside the text: what went on, who wrote what, what differs, versions, search, and bisect. */

import { useStore } from "@chronoscribe/client/react";
import { useEffect } from "react";
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
import "./history.css";

const VIEWS: readonly [View, string][] = [
  ["timeline", "Timeline"],
  ["versions", "Versions"],
  ["compare", "Compare"],
  ["blame", "Blame"],
  ["search", "Search"],
  ["bisect", "Bisect"],
];

export function HistoryPanel() {
  const { view, setView, moment } = useHistory();
  const active = useWorkspace((state) => state.active);
  useRequests();
  return (
    <div className="past-panel">
      {moment === null ? null : <MomentCard moment={moment} />}
      <Tabs selectedKey={view} onSelectionChange={(key) => setView(key as View)}>
        <TabList aria-label="Ways into the past">
          {VIEWS.map(([id, title]) => (
            <Tab key={id} id={id}>
              {title}
            </Tab>
          ))}
        </TabList>
        <TabPanel id="timeline">
          <Timeline />
        </TabPanel>
        {active === null ? (
          <TabPanel id={view === "timeline" ? "versions" : view}>
            <Nothing>Open a document first.</Nothing>
          </TabPanel>
        ) : (
          <>
            <TabPanel id="versions">
              <Versions document={active} />
            </TabPanel>
            <TabPanel id="compare">
              <Compare document={active} />
            </TabPanel>
            <TabPanel id="blame">
              <Blame document={active} />
            </TabPanel>
            <TabPanel id="search">
              <SearchPast document={active} />
            </TabPanel>
            <TabPanel id="bisect">
              <Bisect document={active} />
            </TabPanel>
          </>
        )}
      </Tabs>
    </div>
  );
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
