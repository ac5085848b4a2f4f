// The list of one room: messages by their number, notices where they happened, unsent messages at the end.
// Knows the order of lines, groups and days; must never know sockets, rooms or what the server says.
"use strict";

(() => {
  const { words, line: draw } = Papo;

  // Messages of one person within this time share one heading; after it the time is worth showing again.
  const GROUP_MS = 5 * 60_000;
  // Comings and goings within this time share one line.
  const MERGE_MS = 5 * 60_000;
  // More lines make the page slow and nobody scrolls that far.
  const MOST_LINES = 400;

  class Timeline {
    element = draw.element("div", "timeline");
    #list = draw.element("div", "lines");
    #tail = draw.element("div", "pending");
    #empty = draw.element("p", "notice empty", words.noMessages);
    // {kind, node, at, seq?, author?, heading?: its day's h2}; in the order in which they stand.
    #lines = [];
    #pending = new Map();
    #choices;

    // `choices` {onRetry, onDiscard} are offered beside a message that was refused.
    constructor(choices) {
      this.#choices = choices;
      this.element.append(this.#empty, this.#list, this.#tail);
    }

    // Messages

    add(entry, mine) {
      const author = entry.action ? null : entry.tag;
      const line = { kind: "message", node: draw.message(entry, mine), at: entry.at, seq: entry.seq, author };
      this.#insert(this.#placeOf(entry.seq), line);
    }

    whisper(whisper) {
      this.#append({ kind: "whisper", node: draw.whisper(whisper), at: whisper.at });
    }

    // Own messages on their way: shown at once, at the end.
    pend(item, shown) {
      this.drop(item.id);
      const node = item.to ? draw.whisper(shown) : draw.message(shown, true);
      node.classList.add(item.state === "failed" ? "refused" : "unconfirmed");
      node.querySelector(".text").after(draw.fate(item, this.#choices));
      this.#pending.set(item.id, { node, author: item.to || item.action ? null : shown.tag, at: shown.at });
      this.#tail.append(node);
      this.#regroupPending();
      this.#empty.hidden = true;
    }

    drop(id) {
      this.#pending.get(id)?.node.remove();
      this.#pending.delete(id);
      this.#regroupPending();
    }

    // Notices

    note(text) {
      const node = draw.notice(text);
      node.classList.add("note");
      this.#append({ kind: "note", node, at: Date.now() });
    }

    // Who came, went and took another name; joins the line before if that was of the same kind and is recent.
    presence({ joined, left, renamed }) {
      const now = Date.now();
      const last = this.#lines.at(-1);
      const merges = last?.kind === "presence" && now - last.at < MERGE_MS;
      const line = merges ? last : { kind: "presence", came: [], went: [], renames: [] };
      for (const name of joined) {
        line.went = line.went.filter((other) => other !== name);
        line.came = [...line.came.filter((other) => other !== name), name];
      }
      for (const name of left) {
        line.came = line.came.filter((other) => other !== name);
        line.went = [...line.went.filter((other) => other !== name), name];
      }
      line.renames.push(...renamed);
      line.at = now;
      const node = draw.notice(this.#presenceText(line), now);
      if (merges) line.node.replaceWith(node);
      line.node = node;
      if (!merges) this.#append(line);
    }

    #presenceText({ came, went, renames }) {
      const parts = renames.map(({ from, to }) => words.nowCalled(from, to));
      if (came.length > 0) parts.unshift(words.came(came));
      if (went.length > 0) parts.push(words.went(went));
      return parts.join(" · ");
    }

    // The whole list

    clear() {
      for (const line of this.#lines) this.#remove(line);
      this.#lines = [];
      this.#empty.hidden = this.#pending.size > 0;
      this.#regroupPending();
    }

    // Lets go of the oldest lines.
    trim() {
      const excess = this.#lines.length - MOST_LINES;
      if (excess <= 0) return;
      for (const line of this.#lines.splice(0, excess)) this.#remove(line);
      this.#regroup(0);
    }

    // At midnight "hoje" becomes "ontem".
    refreshDays() {
      for (const line of this.#lines) {
        if (line.heading) line.heading.firstChild.textContent = words.dayName(line.at);
      }
    }

    // Internal

    // Before the first line with a higher number. Lines without a number stay with what they stood behind.
    #placeOf(seq) {
      let place = this.#lines.length;
      for (let i = place - 1; i >= 0; i -= 1) {
        if (this.#lines[i].seq === undefined) continue;
        if (this.#lines[i].seq < seq) break;
        place = i;
      }
      return place;
    }

    #append(line) {
      this.#insert(this.#lines.length, line);
    }

    #insert(index, line) {
      const next = this.#lines[index];
      this.#list.insertBefore(line.node, next ? (next.heading ?? next.node) : null);
      this.#lines.splice(index, 0, line);
      this.#empty.hidden = true;
      this.#regroup(index);
      if (next) this.#regroup(index + 1);
      else this.#regroupPending();
    }

    #remove(line) {
      line.heading?.remove();
      line.node.remove();
    }

    // Gives a line its day's heading if it is the first of the day, and takes away its own if it continues a group.
    #regroup(index) {
      const line = this.#lines[index];
      if (!line) return;
      const before = this.#lines[index - 1];
      const newDay = new Date(line.at).toDateString() !== (before && new Date(before.at).toDateString());
      if (newDay && !line.heading) {
        line.heading = draw.day(line.at);
        line.node.before(line.heading);
      } else if (!newDay && line.heading) {
        line.heading.remove();
        delete line.heading;
      }
      line.node.classList.toggle("continued", !newDay && continues(line, before));
    }

    #regroupPending() {
      let before = this.#lines.at(-1);
      for (const pending of this.#pending.values()) {
        pending.node.classList.toggle("continued", continues(pending, before));
        before = pending;
      }
    }
  }

  function continues(line, before) {
    return Boolean(line.author) && before?.author === line.author && line.at - before.at < GROUP_MS;
  }

  Papo.Timeline = Timeline;
})();
