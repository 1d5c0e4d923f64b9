/* Puts things into the page. What strangers have written goes in as text, and with nothing in it that moves or hides
   other text. */
"use strict";

const Writing = (() => {
  const find = (id) => document.getElementById(id);

  function make(tag, className = "", ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  // What strangers have written.

  // Controls, and what turns the direction of text: by these a line can be made to look like another.
  const CONTROL = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069])/;

  /* Adds `string` to `parent` as text, with every control character written out; the end of a line of Windows
     is none. */
  function write(parent, string) {
    string.split(CONTROL).forEach((part, index) => {
      if (index % 2 === 0) {
        if (part) parent.append(part);
      } else if (part !== "\r") {
        const code = part.codePointAt(0);
        const shown = code < 32 ? String.fromCodePoint(0x2400 + code) : `U+${code.toString(16).toUpperCase()}`;
        parent.append(make("span", "control", shown));
      }
    });
  }

  const plain = (string) => string.split(CONTROL).filter((_, index) => index % 2 === 0).join("");

  const colourOf = (colour) => (/^#[0-9a-f]{6}$/i.test(colour) ? colour : "#808080");

  /* Black or white, whichever stands out from `colour` (WCAG 2.2). */
  function inkOn(colour) {
    const [red, green, blue] = [1, 3, 5]
      .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
  }

  function paint(element, colour) {
    const good = colourOf(colour);
    element.style.setProperty("--colour", good);
    element.style.setProperty("--on-colour", inkOn(good));
    return element;
  }

  function initialsOf(name) {
    const words = plain(name).trim().split(/\s+/);
    const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0] ?? "?"];
    return letters.map((word) => [...word][0] ?? "").join("").toUpperCase();
  }

  // Times.

  const two = (number) => String(number).padStart(2, "0");

  function clock(microseconds, isWithDay = false) {
    const moment = new Date(microseconds / 1000);
    const time = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(":");
    if (!isWithDay) return time;
    return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${time}`;
  }

  function span(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000);
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    const rest = `${two(minutes)}:${two(seconds % 60)}`;
    return hours ? `${hours}:${rest}` : rest;
  }

  function roughly(microseconds) {
    const seconds = microseconds / 1e6;
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
  }

  return { clock, colourOf, find, initialsOf, make, paint, plain, roughly, span, write };
})();
