"use strict";
{
  const {
    clock,
    names: { fold },
  } = Papo;
  const TYPING_MS = 5_000;

  class Room {
    open = false;
    unread = 0;
    mentions = 0;
    online = 0;
    epoch;
    last = 0;
    oldest = 1;
    members = new Map();
    moderators = new Set();
    cachedNameKeys;
    typists = new Map();
    state = {};
    mutedFor = 0;
    stateSince = clock.stamp();

    constructor(name) {
      this.name = name;
      this.key = fold(name);
    }

    get isLive() {
      return this.list.end >= this.last;
    }

    get resumePoint() {
      return this.epoch ? { epoch: this.epoch, after: this.last } : {};
    }

    joined({ room, epoch, seq, oldest, online, members, reset, state = {} }) {
      const isNewLog = reset || epoch !== this.epoch;
      const missed = isNewLog ? 0 : Math.max(0, oldest - this.last - 1);
      Object.assign(this, {
        name: room,
        open: true,
        epoch,
        online,
        oldest,
        last: seq,
      });
      this.members = new Map(members.map(({ name, tag }) => [tag, name]));
      this.moderators = new Set(
        members.filter(({ moderator }) => moderator).map(({ tag }) => tag),
      );
      this.cachedNameKeys = null;
      this.state = state;
      this.typists.clear();
      return { isNewLog, missed };
    }

    presence({ online, joined, left, renamed }) {
      this.online = online;
      this.cachedNameKeys = null;
      for (const { from, to, tag } of renamed) {
        for (const [oldTag, name] of this.members) {
          if (name !== from) continue;
          this.members.delete(oldTag);
          if (this.moderators.delete(oldTag)) this.moderators.add(tag);
        }
        this.members.set(tag, to);
        this.stoppedTyping(from);
      }
      for (const { name, tag } of left) {
        this.members.delete(tag);
        this.stoppedTyping(name);
      }
      for (const { name, tag, moderator } of joined) {
        this.members.set(tag, name);
        this.setModerator(tag, moderator);
      }
    }

    setModerator(tag, isModerator) {
      this.moderators[isModerator ? "add" : "delete"](tag);
    }

    // The wall clock may be turned, or the machine sleep, before the mute ends.
    setState(state) {
      this.state = state;
      this.stateSince = clock.stamp();
      this.mutedFor = (state.muted_until ?? 0) - Date.now();
    }

    get rules() {
      const isMuted = clock.since(this.stateSince) < this.mutedFor;
      return Papo.strings.restrictions(this.state, isMuted);
    }

    get isTooCrowded() {
      return this.online > Papo.protocol.LIMITS.members;
    }

    get people() {
      const people = Array.from(this.members, ([tag, name]) => ({
        tag,
        name,
        moderator: this.moderators.has(tag),
      }));
      return people.sort((a, b) => a.name.localeCompare(b.name, "pt-BR"));
    }

    get nameKeys() {
      return (this.cachedNameKeys ??= new Set(
        Array.from(this.members.values(), fold),
      ));
    }

    startedTyping(name) {
      this.typists.set(name, clock.now() + TYPING_MS);
      return TYPING_MS;
    }

    stoppedTyping(name) {
      return this.typists.delete(name);
    }

    get typing() {
      for (const [name, until] of this.typists)
        if (until <= clock.now()) this.typists.delete(name);
      return [...this.typists.keys()];
    }
  }

  Papo.Room = Room;
}
