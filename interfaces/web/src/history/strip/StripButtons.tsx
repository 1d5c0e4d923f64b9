/** To play and to step, how fast, the clock, and the ways to signs and into a part of the strip. */

import type { ReplaySnapshot } from "@chronoscribe/client";
import {
  ChevronFirst,
  ChevronLast,
  Flag,
  Pause,
  Play,
  SkipForward,
  StepBack,
  StepForward,
  ZoomIn,
  ZoomOut,
} from "lucide-react";
import {
  Button,
  ListBox,
  ListBoxItem,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  Select,
  SelectValue,
  Text,
  ToggleButton,
  Tooltip,
  TooltipTrigger,
} from "react-aria-components";
import { ToolButton } from "../../editor/ToolButton.tsx";
import { dayOf, timeWithSeconds } from "../../ui/time.ts";
import { useLooks } from "../useLooks.ts";
import type { Sign } from "./signs.ts";
import { SPEEDS, type Steering } from "./useSteering.ts";
import type { Zoom } from "./useZoom.ts";

interface StripButtonsProps {
  readonly snapshot: ReplaySnapshot;
  readonly shown: number;
  readonly isDragging: boolean;
  readonly signs: readonly Sign[];
  readonly steering: Steering;
  readonly zoom: Zoom;
}

export function StripButtons({ snapshot, shown, isDragging, signs, steering, zoom }: StripButtonsProps) {
  const { isPlaying, speed, skipIdle, status } = snapshot;
  return (
    <div className="strip-buttons">
      <div className="strip-transport">
        <ToolButton label="To the beginning" keys="Home" onPress={steering.toBeginning}>
          <ChevronFirst aria-hidden="true" />
        </ToolButton>
        <ToolButton label="One step back" keys="←" onPress={() => steering.step(-1)}>
          <StepBack aria-hidden="true" />
        </ToolButton>
        <ToolButton
          label={isPlaying ? "Pause" : "Play"}
          keys="Space"
          className="strip-play"
          onPress={steering.toggle}
        >
          {isPlaying ? <Pause aria-hidden="true" /> : <Play aria-hidden="true" />}
        </ToolButton>
        <ToolButton label="One step on" keys="→" onPress={() => steering.step(1)}>
          <StepForward aria-hidden="true" />
        </ToolButton>
        <ToolButton label="To the end" keys="End" onPress={steering.toEnd}>
          <ChevronLast aria-hidden="true" />
        </ToolButton>
      </div>
      <p className="strip-clock" aria-hidden="true" data-dragging={isDragging || undefined}>
        <span>{timeWithSeconds(shown)}</span>
        <small>{status === "offline" ? "waiting for the connection" : dayOf(shown)}</small>
      </p>
      <div className="strip-more">
        <ToolButton label="The strip nearer" keys="+" onPress={() => zoom.by(2)}>
          <ZoomIn aria-hidden="true" />
        </ToolButton>
        <ToolButton
          label="The strip further away"
          keys="−"
          isDisabled={!zoom.isZoomed}
          onPress={() => zoom.by(0.5)}
        >
          <ZoomOut aria-hidden="true" />
        </ToolButton>
        <Signposts signs={signs} onChoose={steering.seek} />
        <Speed speed={speed} onChange={steering.setSpeed} />
        <TooltipTrigger delay={500}>
          <ToggleButton isSelected={skipIdle} onChange={steering.setSkipIdle} aria-label="Skip idle time">
            <SkipForward aria-hidden="true" />
          </ToggleButton>
          <Tooltip>Skip the time in which nothing happened</Tooltip>
        </TooltipTrigger>
      </div>
    </div>
  );
}

function Speed({ speed, onChange }: { readonly speed: number; onChange(speed: number): void }) {
  return (
    <Select aria-label="Speed" selectedKey={String(speed)} onSelectionChange={(key) => onChange(Number(key))}>
      <Button>
        <SelectValue>{() => `${speed}×`}</SelectValue>
      </Button>
      <Popover>
        <ListBox>
          {SPEEDS.map((each) => (
            <ListBoxItem key={each} id={String(each)} textValue={`${each} times`}>
              {each}×
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

/** The signs as a list: for fingers, keyboards and ears. */
function Signposts({ signs, onChoose }: { readonly signs: readonly Sign[]; onChoose(at: number): void }) {
  const looksOf = useLooks();
  return (
    <MenuTrigger>
      <TooltipTrigger delay={500}>
        <Button className="react-aria-Button tool-button" aria-label="Go to…" isDisabled={signs.length === 0}>
          <Flag aria-hidden="true" />
        </Button>
        <Tooltip>
          Versions, runs, who came… <kbd>Alt ← →</kbd>
        </Tooltip>
      </TooltipTrigger>
      <Popover placement="top end" className="react-aria-Popover strip-signs">
        <Menu onAction={(key) => onChoose(signs.find(({ position }) => position === key)!.at)}>
          {signs.map(({ position, at, user, text }) => (
            <MenuItem key={position} id={position} textValue={`${looksOf(user).name} ${text}`}>
              <Text slot="label">
                <span className="swatch" style={{ background: looksOf(user).colour }} />
                {looksOf(user).name} {text}
              </Text>
              <Text slot="description">{timeWithSeconds(at)}</Text>
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
