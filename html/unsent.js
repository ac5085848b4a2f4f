// What was written and isn't confirmed yet, in the order of writing. Nothing typed is ever lost: it waits while there
// is no connection, is sent again with the same id after one, and survives a reload of the page.
// Knows ids, order and pace; must never know how a message looks or how sockets work.
//
// An item: {id, text, action?, room | to, at, state: "waiting" | "sent" | "failed", reason?}
"use strict";

(() => {
  const { LIMITS } = Papo.protocol;
  const { kept, newId } = Papo.storage;
  const KEY = "unsent.";
  // Half of what the server allows one connection: there is room for another way of sending.
  const MOST_IN_FLIGHT = LIMITS.unanswered_says / 2;
  // Older than this, people would be surprised to see it sent: they are asked first.
  const TOO_OLD_MS = 10 * 60_000;

  class Unsent {
    #items = new Map();
    #transmit;
    #onChange;
    #owner = null;
    #heldUntil = 0;
    #holdTimer = null;
    // What the server would let us say at once, by our own count of its rule.
    #allowance = LIMITS.burst;
    #allowanceAt = Date.now();
    #limits = LIMITS;

    // `transmit(item)` sends it, or returns false if that can't be done now; `onChange(item)` shows its new state.
    constructor({ transmit, onChange }) {
      this.#transmit = transmit;
      this.#onChange = onChange;
    }

    // Whose messages these are: an id is unique per person, so another person must not send them again.
    // Brings back what this person left unsent before a reload.
    begin(owner, limits) {
      this.#limits = limits;
      if (this.#owner !== owner) {
        this.#owner = owner;
        this.#items.clear();
        this.#restore();
      }
      this.pump();
    }

    // Leaves what is unsent in the storage, for the next time.
    end() {
      this.#owner = null;
      this.#items.clear();
    }

    // The same person under another name.
    renamed(owner) {
      this.#owner = owner;
      for (const item of this.#items.values()) this.#keep(item);
    }

    // Actions

    add(fields) {
      const item = { ...fields, id: newId(), at: Date.now(), state: "waiting" };
      this.#items.set(item.id, item);
      this.#keep(item);
      this.#onChange(item);
      this.pump();
    }

    retry(id) {
      const item = this.#items.get(id);
      if (item?.state !== "failed") return;
      this.discard(id);
      // An id that the server refused for good would be refused again.
      const again = { ...item, id: item.fresh ? newId() : id, at: Date.now(), state: "waiting" };
      delete again.reason;
      this.#items.set(again.id, again);
      this.#keep(again);
      this.#onChange(again);
      this.pump();
    }

    discard(id) {
      const item = this.#items.get(id);
      if (!item) return;
      this.#remove(item);
      this.#onChange({ ...item, state: "gone" });
    }

    // What the server says

    // The item that is now sent, or undefined if this page doesn't know the id.
    acknowledged(id) {
      const item = this.#items.get(id);
      if (item) this.#remove(item);
      this.pump();
      return item;
    }

    refused({ id, code, text, retry_after_ms: retryAfter }) {
      const item = this.#items.get(id);
      if (!item) return;
      if (code === "too_fast") this.#hold(item, retryAfter ?? 1000);
      else this.#fail(item, text, code === "id_reused");
      this.pump();
    }

    // A whisper is not stored, so the server can't tell a repeated one: only its author may send it again.
    connectionLost() {
      for (const item of this.#items.values()) {
        if (item.state !== "sent") continue;
        item.state = "waiting";
        if (item.to) this.#fail(item, Papo.words.whisperCut, true);
      }
    }

    // Sends what may be sent, never one before an older one.
    pump() {
      if (Date.now() < this.#heldUntil) return;
      for (const item of this.#items.values()) {
        if (item.state !== "waiting") continue;
        if (this.#tooOld(item)) continue;
        if (!this.#maySend()) return;
        if (!this.#transmit(item)) continue;
        item.state = "sent";
        this.#allowance -= 1;
      }
    }

    // Internal

    #inFlight() {
      let count = 0;
      for (const item of this.#items.values()) count += item.state === "sent" ? 1 : 0;
      return count;
    }

    // Past the allowance one at a time: if several were on their way, one could be refused and the next one taken.
    #maySend() {
      const now = Date.now();
      const { rate, burst } = this.#limits;
      if (!rate) return this.#inFlight() < MOST_IN_FLIGHT;
      this.#allowance = Math.min(burst, this.#allowance + ((now - this.#allowanceAt) / 1000) * rate);
      this.#allowanceAt = now;
      return this.#inFlight() < (this.#allowance >= 1 ? MOST_IN_FLIGHT : 1);
    }

    #tooOld(item) {
      if (Date.now() - item.at <= TOO_OLD_MS) return false;
      this.#fail(item, Papo.words.sentTooLongAgo, false);
      return true;
    }

    #hold(item, delay) {
      item.state = "waiting";
      this.#allowance = 0;
      this.#heldUntil = Math.max(this.#heldUntil, Date.now() + delay);
      clearTimeout(this.#holdTimer);
      this.#holdTimer = setTimeout(() => this.pump(), this.#heldUntil - Date.now());
    }

    #fail(item, reason, fresh) {
      Object.assign(item, { state: "failed", reason, fresh });
      this.#keep(item);
      this.#onChange(item);
    }

    #remove(item) {
      this.#items.delete(item.id);
      kept.remove(KEY + item.id);
    }

    // One key for each, so that two tabs never overwrite each other's.
    #keep(item) {
      if (item.to) return;
      kept.set(KEY + item.id, JSON.stringify({ ...item, owner: this.#owner }));
    }

    #restore() {
      const found = kept.keys(KEY).map((key) => this.#read(key)).filter((item) => item?.owner === this.#owner);
      found.sort((a, b) => a.at - b.at);
      for (const { owner: _, ...item } of found) {
        if (item.state === "sent") item.state = "waiting";
        this.#items.set(item.id, item);
        this.#onChange(item);
      }
    }

    #read(key) {
      try {
        return JSON.parse(kept.get(key));
      } catch {
        kept.remove(key);
        return null;
      }
    }
  }

  Papo.Unsent = Unsent;
})();
