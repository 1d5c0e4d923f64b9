/** What stands beside the text: one of the panels, and the tabs to choose it by. A drawer with a bar on a phone. */

import { useStore } from "@chronoscribe/client/react";
import {
  Activity,
  ChartColumn,
  Files,
  FileText,
  History,
  type LucideIcon,
  MessageCircle,
  Users,
  X,
} from "lucide-react";
import { type PointerEvent, Suspense, useRef } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { ToolButton } from "../editor/ToolButton.tsx";
import { Fence } from "../ui/Fence.tsx";
import { late } from "../ui/late.ts";
import { Waiting } from "../ui/notes.tsx";
import { DocumentList } from "./DocumentList.tsx";
import { NARROWEST, useLayout, WIDEST } from "./layout.ts";
import { useRoom } from "./room.tsx";
import { type Panel, useWorkspace } from "./store.ts";
import { useBackCloses, useSwipeDown } from "./useDrawer.ts";
import { useIsPhone } from "./useIsPhone.ts";
import { useRememberedPanel } from "./useRememberedPanel.ts";

const PresenceList = late(() => import("../people/PresenceList.tsx").then((m) => m.PresenceList));
const ChatPanel = late(() => import("../chat/ChatPanel.tsx").then((m) => m.ChatPanel));
const ActivityStream = late(() => import("../activity/ActivityStream.tsx").then((m) => m.ActivityStream));
const StatisticsPanel = late(() =>
  import("../statistics/StatisticsPanel.tsx").then((m) => m.StatisticsPanel),
);
const HistoryPanel = late(() => import("../history/HistoryPanel.tsx").then((m) => m.HistoryPanel));

interface Entry {
  readonly key: Panel | "document";
  readonly title: string;
  /** Where seven stand side by side. */
  readonly short?: string;
  readonly icon: LucideIcon;
  readonly content: () => React.ReactNode;
}

const PANELS: readonly Entry[] = [
  { key: "people", title: "People", icon: Users, content: () => <PresenceList /> },
  { key: "chat", title: "Chat", icon: MessageCircle, content: () => <ChatPanel /> },
  { key: "activity", title: "Activity", icon: Activity, content: () => <ActivityStream /> },
  { key: "statistics", title: "Statistics", icon: ChartColumn, content: () => <StatisticsPanel /> },
  { key: "history", title: "History", icon: History, content: () => <HistoryPanel /> },
];
/** The text alone. */
const TEXT: Entry = { key: "document", title: "Text", icon: FileText, content: () => null };
/** Has a place of its own on a larger screen. */
const DOCUMENTS: Entry = {
  key: "documents",
  title: "Documents",
  short: "Docs",
  icon: Files,
  content: () => <DocumentList />,
};

export function PanelArea() {
  const isPhone = useIsPhone();
  const panel = useWorkspace((state) => state.panel);
  const showPanel = useWorkspace((state) => state.showPanel);
  const width = useLayout((state) => state.panelWidth);
  const entries = [TEXT, ...(isPhone ? [DOCUMENTS] : []), ...PANELS];
  const shown = entries.find(({ key }) => key === panel);
  const close = () => showPanel(null);
  const swipe = useSwipeDown(close);
  useBackCloses(isPhone && shown !== undefined);
  useRememberedPanel(isPhone);
  return (
    <aside className="panels-side" aria-label="Beside the text">
      <Tabs
        className="panels"
        data-open={shown !== undefined || undefined}
        orientation={isPhone ? "horizontal" : "vertical"}
        keyboardActivation="manual"
        selectedKey={shown?.key ?? "document"}
        onSelectionChange={(key) => showPanel(key === "document" ? null : (key as Panel))}
        style={isPhone ? {} : { inlineSize: shown ? width : undefined }}
      >
        <TabList aria-label="Panels" className="react-aria-TabList panel-tabs">
          {entries.map(({ key, title, short, icon: Icon }) => (
            <Tab key={key} id={key}>
              <Icon aria-hidden="true" />
              <span className="panel-tab-title">{isPhone ? (short ?? title) : title}</span>
              {key === "chat" ? <Unread /> : null}
            </Tab>
          ))}
        </TabList>
        {shown && !isPhone ? <Divider /> : null}
        {shown ? null : <TabPanel id="document" hidden />}
        {shown ? (
          <TabPanel id={shown.key} className="panel">
            <header className="panel-head" {...(isPhone ? swipe : {})}>
              <h2>{shown.title}</h2>
              <ToolButton label={`Close ${shown.title.toLowerCase()}`} onPress={close}>
                <X aria-hidden="true" />
              </ToolButton>
            </header>
            <div className="panel-body">
              <Fence key={shown.key}>
                <Suspense fallback={<Waiting />}>{shown.content()}</Suspense>
              </Fence>
            </div>
          </TabPanel>
        ) : null}
      </Tabs>
    </aside>
  );
}

function Unread() {
  const { unread } = useStore(useRoom().chat);
  if (unread === 0) return null;
  return (
    <span className="badge">
      {unread > 99 ? "99+" : unread}
      <span className="for-ears"> unread</span>
    </span>
  );
}

/** How far the divider goes with one press of an arrow key, in pixels. */
const STEP = 24;

/** How wide the panel is, by pointer or by arrow keys. */
function Divider() {
  const { panelWidth, setPanelWidth } = useLayout();
  const from = useRef<{ x: number; width: number } | null>(null);
  const begin = (event: PointerEvent) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    from.current = { x: event.clientX, width: panelWidth };
  };
  const move = (event: PointerEvent) => {
    if (from.current !== null) setPanelWidth(from.current.width + from.current.x - event.clientX);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: an <hr> takes no focus; this one is moved
    <div
      className="divider"
      role="separator"
      aria-label="Width of the panel"
      aria-orientation="vertical"
      aria-valuenow={panelWidth}
      aria-valuemin={NARROWEST}
      aria-valuemax={WIDEST}
      tabIndex={0}
      onPointerDown={begin}
      onPointerMove={move}
      onPointerUp={() => {
        from.current = null;
      }}
      onKeyDown={(event) => {
        const by = { ArrowLeft: STEP, ArrowRight: -STEP, Home: WIDEST, End: -WIDEST }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        setPanelWidth(panelWidth + by);
      }}
    />
  );
}
