/** How much of the page a phone's keyboard covers; 0 where browsers make the page smaller instead. */

import { useEffect, useState } from "react";

export function useKeyboardInset(): number {
  const [inset, setInset] = useState(0);
  useEffect(() => {
    const { visualViewport } = window;
    if (visualViewport === null) return;
    const look = () =>
      setInset(
        visualViewport.scale > 1
          ? 0
          : Math.max(0, Math.round(window.innerHeight - visualViewport.height - visualViewport.offsetTop)),
      );
    look();
    visualViewport.addEventListener("resize", look);
    visualViewport.addEventListener("scroll", look);
    return () => {
      visualViewport.removeEventListener("resize", look);
      visualViewport.removeEventListener("scroll", look);
    };
  }, []);
  return inset;
}
