/* What stands around the text: documents, people, chat, activity. */
"use strict";

const Panels = (() => {
  const { documentsOf, firstBehind, peopleOf } = Recording;
  const { clock, find, initialsOf, make, paint, plain, write } = Writing;

  // Lines of activity that are in the page.
  const LINES_SHOWN = 300;

  /* The documents, with who is in each. */
  class Tabs {
    constructor(player) {
      this.player = player;
      this.list = find("tabs");
      this.key = null;
      this.list.addEventListener("keydown", (event) => this.onKey(event));
    }

    show(state, front) {
      const here = peopleOf(state).map((person) => [person, person.place?.document]);
      const names = [...documentsOf(state).keys()];
      const key = JSON.stringify([names, front, here.map(([person, name]) => [name, person.colour])]);
      if (key === this.key) return;
      this.key = key;
      const hadFocus = this.list.contains(document.activeElement);
      this.list.replaceChildren(
        ...names.map((name) => {
          const dots = make("span", "dots");
          for (const [person, where] of here) if (where === name) dots.append(paint(make("span", "dot"), person.colour));
          const tab = make("button", "", make("bdi", "", plain(name)), dots);
          tab.type = "button";
          tab.setAttribute("role", "tab");
          tab.setAttribute("aria-selected", String(name === front));
          tab.setAttribute("aria-controls", "pane");
          tab.tabIndex = name === front ? 0 : -1;
          tab.addEventListener("click", () => this.player.pick(name));
          return tab;
        }),
      );
      const selected = this.list.querySelector('[aria-selected="true"]');
      if (hadFocus) selected?.focus();
      if (selected) {
        const end = selected.offsetLeft + selected.offsetWidth - this.list.offsetLeft;
        if (end > this.list.scrollLeft + this.list.clientWidth) this.list.scrollLeft = end - this.list.clientWidth;
        else this.list.scrollLeft = Math.min(this.list.scrollLeft, selected.offsetLeft - this.list.offsetLeft);
      }
    }

    /* As tabs are moved along by keys: the arrows, which elsewhere move through time. */
    onKey(event) {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!way) return;
      const tabs = [...this.list.children];
      const next = tabs[tabs.indexOf(document.activeElement) + way];
      next?.click();
      event.preventDefault();
      event.stopPropagation();
    }
  }

  class People {
    constructor(player) {
      this.player = player;
      this.list = find("people");
      this.key = null;
    }

    show(state, followed) {
      const people = peopleOf(state).map((person) => ({ person, doing: this.doing(person) }));
      const key = JSON.stringify([followed, people.map(({ person, doing }) => [person.client, person.name, person.colour, doing])]);
      if (key === this.key) return;
      this.key = key;
      find("people-count").textContent = people.length ? String(people.length) : "";
      const items = people.map(({ person, doing }) => this.item(person, doing, followed));
      this.list.replaceChildren(...(items.length ? items : [make("li", "empty", "Nobody is here.")]));
    }

    doing({ types, place, status }) {
      if (types === null) return "types a message…";
      if (types !== undefined) return `types in ${types}…`;
      return place ? `${status} in ${place.document}` : status;
    }

    item(person, doing, followed) {
      const name = plain(person.name);
      const who = make("span", "who", make("b", "", make("bdi", "", name)), make("span", "doing", doing));
      const button = make("button", "", make("span", "face", initialsOf(name)), who);
      button.firstChild.setAttribute("aria-hidden", "true");
      button.type = "button";
      button.title = `Follow ${name}`;
      button.dataset.status = person.status;
      button.setAttribute("aria-pressed", String(person.client === followed));
      button.addEventListener("click", () => this.player.follow(person.client));
      return make("li", "", paint(button, person.colour));
    }
  }

  class Chat {
    constructor(player) {
      this.player = player;
      this.list = find("chat");
      this.items = new Map();
      this.seen = 0;
      this.none = make("li", "empty", "Nothing has been said.");
    }

    show(state) {
      const isAtEnd = this.list.scrollTop + this.list.clientHeight > this.list.scrollHeight - 40;
      let isChanged = false;
      for (const [id, item] of this.items) {
        if (!state.messages.has(id)) {
          item.element.remove();
          this.items.delete(id);
          isChanged = true;
        }
      }
      let previous = null;
      for (const [id, message] of state.messages) {
        const known = this.items.get(id);
        if (known?.message !== message) {
          const element = this.item(message, previous, state);
          if (known) {
            element.style.animation = "none";
            known.element.replaceWith(element);
          } else this.list.append(element);
          this.items.set(id, { message, element });
          isChanged = true;
        }
        previous = message;
      }
      if (!isChanged) return;
      this.none.remove();
      if (!this.items.size) this.list.append(this.none);
      find("chat-count").textContent = this.items.size ? String(this.items.size) : "";
      if (isAtEnd) this.list.scrollTop = this.list.scrollHeight;
      this.tellUnseen();
    }

    /* On a small screen: how much was said while the text was in front. */
    tellUnseen() {
      if (document.body.dataset.view === "chat") this.seen = this.items.size;
      this.seen = Math.min(this.seen, this.items.size);
      const unseen = this.items.size - this.seen;
      find("unseen").textContent = unseen ? String(unseen) : "";
    }

    item(message, previous, state) {
      const look = this.player.lookOf(message.author, state);
      const time = make("time", "", clock(message.posted).slice(0, 5));
      const from = make("div", "from", make("span", "dot"), make("b", "", make("bdi", "", plain(look.name))), time);
      const element = paint(make("li", "message", from, this.bubble(message, state), this.notes(message, state)), look.colour);
      const isAgain = previous && previous.author === message.author && message.posted - previous.posted < 18e7;
      element.classList.toggle("again", Boolean(isAgain && !message.reply_to));
      return element;
    }

    bubble(message, state) {
      if (message.deleted !== null) return make("div", "bubble gone", "This message was deleted.");
      const bubble = make("div", "bubble");
      if (message.reply_to) {
        const to = state.messages.get(message.reply_to);
        const quote = make("span", "quote");
        if (to) write(quote, `${this.player.lookOf(to.author, state).name}: ${to.deleted === null ? to.text : "…"}`);
        else write(quote, "in reply to an earlier message");
        bubble.append(quote);
      }
      for (const part of message.text.split(/(@[A-Za-z0-9_-]+)/)) {
        const isName = message.mentions.includes(part.slice(1)) && part.startsWith("@");
        if (isName) write(bubble.appendChild(make("b")), `@${this.player.lookOf(part.slice(1), state).name}`);
        else write(bubble, part);
      }
      return bubble;
    }

    notes(message, state) {
      const notes = make("div", "notes");
      for (const [emoji, users] of Object.entries(message.reactions)) {
        const chip = make("span", "chip", `${plain(emoji)} ${users.length}`);
        chip.title = users.map((user) => plain(this.player.lookOf(user, state).name)).join(", ");
        notes.append(chip);
      }
      if (message.link) notes.append(make("span", "", `↗ ${message.link.document}`));
      if (message.pinned !== null) notes.append(make("span", "", "pinned"));
      if (message.edits && message.deleted === null) notes.append(make("span", "", "edited"));
      return notes;
    }
  }

  class Activity {
    constructor(player) {
      this.player = player;
      this.list = find("activity");
      this.first = 0;
      this.behind = 0; // of the last line that is shown
    }

    show(index) {
      const { lines } = this.player.whole;
      const behind = firstBehind(lines, (line) => line.step > index);
      if (behind === this.behind) return;
      const first = Math.max(0, behind - LINES_SHOWN);
      if (behind > this.behind && this.behind > first) {
        for (const line of lines.slice(this.behind, behind)) this.list.append(this.item(line));
        while (this.list.childElementCount > behind - first) this.list.firstChild.remove();
      } else {
        this.list.replaceChildren(...lines.slice(first, behind).map((line) => this.item(line)));
      }
      this.behind = behind;
      this.list.scrollTop = this.list.scrollHeight;
    }

    item(line) {
      const look = this.player.whole.look(line.user);
      const what = make("span", "what", make("b", "", make("bdi", "", plain(look.name))), " ");
      write(what, line.text.replace(/\s+/g, " "));
      const button = make("button", "", make("time", "", clock(line.at)), make("span", "dot"), what);
      button.type = "button";
      button.title = "Go there";
      button.addEventListener("click", () => this.player.goToStep(line.step));
      return make("li", "", paint(button, look.colour));
    }
  }

  return { Activity, Chat, People, Tabs };
})();
