/** Something beside what it is about; on a touched screen a tray at its lower edge. */

import type { ReactNode } from "react";
import { Dialog, Modal, ModalOverlay, Popover } from "react-aria-components";

interface FloatingProps {
  readonly anchor: HTMLElement | null;
  readonly label: string;
  readonly placement?: "bottom end" | "top end";
  readonly children: ReactNode;
  onClose(): void;
}

export function Floating({ anchor, label, placement = "bottom end", children, onClose }: FloatingProps) {
  const onOpenChange = (isOpen: boolean) => {
    if (!isOpen) onClose();
  };
  if (window.matchMedia("(pointer: coarse)").matches)
    return (
      <ModalOverlay
        isOpen
        isDismissable
        onOpenChange={onOpenChange}
        className="react-aria-ModalOverlay tray-overlay"
      >
        <Modal className="react-aria-Modal tray">
          <Dialog aria-label={label}>{children}</Dialog>
        </Modal>
      </ModalOverlay>
    );
  return (
    <Popover
      isOpen
      onOpenChange={onOpenChange}
      triggerRef={{ current: anchor }}
      placement={placement}
      className="react-aria-Popover floating"
    >
      <Dialog aria-label={label}>{children}</Dialog>
    </Popover>
  );
}
