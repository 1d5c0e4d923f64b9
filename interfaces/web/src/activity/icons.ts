/** An icon for each kind of activity. */

import {
  Bookmark,
  DoorClosed,
  DoorOpen,
  Eraser,
  FileMinus,
  FilePlus,
  GitBranch,
  GitMerge,
  History,
  Import,
  KeyRound,
  LogIn,
  LogOut,
  type LucideIcon,
  MessageCircle,
  PencilLine,
  Pin,
  PinOff,
  Play,
  RefreshCw,
  Save,
  Tag,
  Undo2,
  UserCog,
  UserMinus,
  UserPlus,
  Zap,
} from "lucide-react";

const ICONS: Readonly<Record<string, LucideIcon>> = {
  joined: LogIn,
  left: LogOut,
  reconnected: RefreshCw,
  edited: PencilLine,
  undone: Undo2,
  restored: History,
  branched: GitBranch,
  merged: GitMerge,
  saved: Save,
  named: Bookmark,
  ran: Play,
  said: MessageCircle,
  imported: Import,
  pinned: Pin,
  unpinned: PinOff,
  listed: FilePlus,
  unlisted: FileMinus,
  opened: DoorOpen,
  renamed: Tag,
  redacted: Eraser,
  closed: DoorClosed,
  access_changed: KeyRound,
  member_added: UserPlus,
  role_changed: UserCog,
  member_removed: UserMinus,
};

/** A kind that a newer server tells has one as well. */
export function iconOf(kind: string): LucideIcon {
  return ICONS[kind] ?? Zap;
}
