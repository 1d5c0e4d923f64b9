/* The time line with the slider: who wrote when, and what one may want to go to. */
"use strict";

const Strips = (() => {
  const { clock, colourOf, find, plain, span } = Writing;

  const STRIP_ROWS = 6;
  const MARKS_HEIGHT = 16;

  // Half of the slider's thumb: so far its middle stays away from the ends.
  const INSET = 8;

  // By the kinds of marks.
  const SHAPES = {
    joined: "up",
    left: "down",
    message: "dot",
    saved: "diamond",
    named: "diamond",
    ran: "play",
    restored: "ring",
    undone: "ring",
  };

  const LEGEND = [
    "▲ came",
    "▼ left",
    "● said something",
    "◆ saved or named a revision",
    "▶ ran something",
    "○ restored or took back",
  ];

  /* The time line: who wrote when, marks, and the slider. */
  class Strip {
    constructor(player) {
      this.player = player;
      this.element = find("strip");
      this.canvas = this.element.querySelector("canvas");
      this.slider = find("slider");
      this.tip = find("tip");
      this.slider.addEventListener("input", () => player.seek(Number(this.slider.value)));
      this.canvas.addEventListener("pointerdown", (event) => {
        this.canvas.setPointerCapture(event.pointerId);
        player.seek(this.placeAt(event));
      });
      this.canvas.addEventListener("pointermove", (event) => {
        if (event.buttons & 1) player.seek(this.placeAt(event));
      });
      this.element.addEventListener("pointermove", (event) => this.tell(event));
      this.element.addEventListener("pointerleave", () => (this.tip.hidden = true));
      new ResizeObserver(() => requestAnimationFrame(() => player.redraw())).observe(this.element);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    }

    placeAt(event) {
      const { left, width } = this.canvas.getBoundingClientRect();
      const part = (event.clientX - left - INSET) / (width - 2 * INSET);
      return Math.min(1, Math.max(0, part)) * this.player.timeLine.length;
    }

    across(place, width) {
      return INSET + (place / (this.player.timeLine.length || 1)) * (width - 2 * INSET);
    }

    show(place) {
      const { length } = this.player.timeLine;
      this.slider.max = String(Math.ceil(length));
      this.slider.value = String(place);
      this.slider.style.setProperty("--part", `${length ? (place / length) * 100 : 100}%`);
      const spoken = `${clock(this.player.timeLine.timeAt(place))}, ${span(place)} of ${span(length)}`;
      this.slider.setAttribute("aria-valuetext", spoken);
    }

    /* Beside the pointer: the time there, and the mark that is near. */
    tell(event) {
      const { whole, timeLine } = this.player;
      const { left, width } = this.element.getBoundingClientRect();
      const place = this.placeAt(event);
      const near = this.marks().filter((found) => Math.abs(found.place - place) < (7 / width) * timeLine.length);
      const told = near.slice(0, 1).map(({ mark }) => ` · ${plain(whole.look(mark.user).name)} ${plain(mark.text)}`);
      this.tip.textContent = `${clock(timeLine.timeAt(place))}${told.join("")}`;
      this.tip.hidden = false;
      const half = this.tip.offsetWidth / 2;
      this.tip.style.left = `${Math.min(width - half, Math.max(half, event.clientX - left))}px`;
    }

    marks() {
      const { whole, timeLine } = this.player;
      return whole.marks
        .filter((mark) => Object.hasOwn(SHAPES, mark.kind))
        .map((mark) => ({ mark, place: timeLine.placeAt(mark.at) }));
    }

    draw() {
      const width = this.element.clientWidth;
      if (!width) return;
      const { whole, timeLine } = this.player;
      const density = [...whole.density(timeLine, Math.max(1, Math.floor((width - 2 * INSET) / 3)))];
      const rows = Math.max(1, Math.min(STRIP_ROWS, density.length));
      const row = rows > 3 ? 7 : 10;
      const height = MARKS_HEIGHT + rows * row + 2;
      const scale = devicePixelRatio || 1;
      this.canvas.width = width * scale;
      this.canvas.height = height * scale;
      this.canvas.style.height = `${height}px`;
      const context = this.canvas.getContext("2d");
      context.scale(scale, scale);
      this.drawBreaks(context, width, height);
      this.drawDensity(context, density, rows, row);
      for (const { mark, place } of this.marks()) {
        const colour = colourOf(whole.look(mark.user).colour);
        drawSign(context, SHAPES[mark.kind], this.across(place, width), colour);
      }
    }

    drawBreaks(context, width, height) {
      const { timeLine } = this.player;
      context.strokeStyle = getComputedStyle(this.element).color;
      context.globalAlpha = 0.25;
      context.setLineDash([2, 3]);
      for (const { place } of timeLine.breaks) {
        const x = Math.round(this.across(place, width)) + 0.5;
        context.beginPath();
        context.moveTo(x, MARKS_HEIGHT);
        context.lineTo(x, height);
        context.stroke();
      }
      context.setLineDash([]);
      context.globalAlpha = 1;
    }

    drawDensity(context, density, rows, row) {
      const most = Math.max(1, ...density.map(([, parts]) => Math.max(...parts)));
      density.forEach(([user, parts], index) => {
        context.fillStyle = colourOf(this.player.whole.look(user).colour);
        const bottom = MARKS_HEIGHT + (Math.min(index, rows - 1) + 1) * row;
        parts.forEach((count, part) => {
          if (!count) return;
          const height = 2 + (row - 3) * Math.sqrt(count / most);
          context.fillRect(INSET + part * 3, bottom - height, 2.5, height);
        });
      });
    }
  }

  function drawSign(context, shape, x, colour) {
    const y = 8;
    context.fillStyle = context.strokeStyle = colour;
    context.lineWidth = 2;
    context.beginPath();
    if (shape === "dot") context.arc(x, y, 3.2, 0, 7);
    if (shape === "ring") context.arc(x, y, 3.6, 0, 7);
    const corners = {
      up: [[-4.5, 3.5], [4.5, 3.5], [0, -4.5]],
      down: [[-4.5, -3.5], [4.5, -3.5], [0, 4.5]],
      play: [[-3.5, -4.5], [-3.5, 4.5], [4.5, 0]],
      diamond: [[-5, 0], [0, -5], [5, 0], [0, 5]],
    };
    for (const [right, down] of corners[shape] ?? []) context.lineTo(x + right, y + down);
    context.closePath();
    if (shape === "ring") context.stroke();
    else context.fill();
  }

  return { LEGEND, Strip };
})();
