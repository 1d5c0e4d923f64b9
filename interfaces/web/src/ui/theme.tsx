/** Light, dark, or as the machine has it; remembered in the browser. */

import { Moon, Sun, SunMoon } from "lucide-react";
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { ToolButton } from "../editor/ToolButton.tsx";

export type Theme = "system" | "light" | "dark";

interface ThemeState {
  readonly theme: Theme;
  setTheme(theme: Theme): void;
}

export const useTheme = create<ThemeState>()(
  persist(
    (set) => ({
      theme: "system",
      setTheme: (theme) => set({ theme }),
    }),
    { name: "chronoscribe.theme" },
  ),
);

const isDark = window.matchMedia("(prefers-color-scheme: dark)");

/** Of the bar that a phone draws above the page; as the page's own bar is. */
const BAR = { light: "#ffffff", dark: "#1e2128" } as const;

function show({ theme }: ThemeState): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const shown = theme === "system" ? (isDark.matches ? "dark" : "light") : theme;
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", BAR[shown]);
}

show(useTheme.getState());
useTheme.subscribe(show);
isDark.addEventListener("change", () => show(useTheme.getState()));

const NEXT = { system: "light", light: "dark", dark: "system" } as const;
const ICONS = { system: SunMoon, light: Sun, dark: Moon } as const;
const WORDS = { system: "as this machine has it", light: "light", dark: "dark" } as const;

export function nextTheme(): void {
  const { theme, setTheme } = useTheme.getState();
  setTheme(NEXT[theme]);
}

export function ThemeSwitch() {
  const theme = useTheme((state) => state.theme);
  const Icon = ICONS[theme];
  return (
    <ToolButton label={`Colours: ${WORDS[theme]}`} onPress={nextTheme}>
      <Icon aria-hidden="true" />
    </ToolButton>
  );
}
