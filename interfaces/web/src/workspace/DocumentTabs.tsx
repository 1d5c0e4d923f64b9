/** The documents that are open in this window. The one in front is always in view; the rest are also in a list. */

import { ChevronDown, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useSelected } from "../ui/stores.ts";
import { useRoom } from "./room.tsx";
import { useWorkspace } from "./store.ts";
import { useIsPhone } from "./useIsPhone.ts";

export function DocumentTabs() {
  const tabs = useWorkspace((state) => state.tabs);
  const active = useWorkspace((state) => state.active);
  const openDocument = useWorkspace((state) => state.openDocument);
  const closeTab = useWorkspace((state) => state.closeTab);
  const strip = useRef<HTMLElement>(null);
  const isTooLong = useOverflow(strip, tabs);
  const isPhone = useIsPhone();
  useEffect(() => {
    if (active === null) return;
    strip.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [active]);
  return (
    <>
      <nav className="tabs" aria-label="Open documents" ref={strip}>
        <ul>
          {tabs.map((document) => (
            <li key={document} data-active={document === active || undefined}>
              <Button
                className="react-aria-Button tab-name"
                aria-current={document === active ? "page" : false}
                onPress={() => openDocument(document)}
              >
                <span className="tab-title">{document}</span>
                <UnsavedMark document={document} />
              </Button>
              {tabs.length > 1 ? (
                <Button
                  className="react-aria-Button tab-close"
                  aria-label={`Close ${document}`}
                  onPress={() => closeTab(document)}
                >
                  <X aria-hidden="true" />
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      </nav>
      {(isTooLong || isPhone) && tabs.length > 1 ? (
        <MenuTrigger>
          <Button className="react-aria-Button quiet tabs-all" aria-label="All open documents">
            <span aria-hidden="true">{tabs.length}</span>
            <ChevronDown aria-hidden="true" />
          </Button>
          <Popover placement="bottom end">
            <Menu
              aria-label="Open documents"
              selectionMode="single"
              selectedKeys={active === null ? [] : [active]}
              onAction={(document) => openDocument(String(document))}
            >
              {tabs.map((document) => (
                <MenuItem key={document} id={document}>
                  {document}
                </MenuItem>
              ))}
            </Menu>
          </Popover>
        </MenuTrigger>
      ) : null}
    </>
  );
}

function UnsavedMark({ document }: { readonly document: string }) {
  const isUnsaved = useSelected(useRoom().open(document), ({ sent, local }) => sent + local > 0);
  return isUnsaved ? <span className="tab-unsaved" role="img" aria-label="not saved yet" /> : null;
}

/** Whether more stands in an element than can be seen of it; `content` says when to look again. */
function useOverflow(element: React.RefObject<HTMLElement | null>, content: unknown): boolean {
  const [isTooLong, setIsTooLong] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other content is another length
  useEffect(() => {
    const { current } = element;
    if (current === null) return;
    const look = () => setIsTooLong(current.scrollWidth > current.clientWidth + 1);
    const observer = new ResizeObserver(look);
    observer.observe(current);
    look();
    return () => observer.disconnect();
  }, [element, content]);
  return isTooLong;
}
