"use strict";
{
  const { fold } = Papo.names;
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
    hosts = new Set();
    foldedNames;
    typists = new Map();

    constructor(name) {
      this.name = name;
      this.key = fold(name);
    }

    get isLive() {
      return this.list.end >= this.last;
    }

    get position() {
      return this.epoch ? { epoch: this.epoch, after: this.last } : {};
    }

    joined({ room, epoch, seq, oldest, online, members, reset }) {
      const fresh = reset || epoch !== this.epoch;
      const lost = fresh ? 0 : Math.max(0, oldest - this.last - 1);
      Object.assign(this, {
        name: room,
        open: true,
        epoch,
        online,
        oldest,
        last: seq,
      });
      this.members = new Map(members.map(({ name, tag }) => [tag, name]));
      this.hosts = new Set(
        members.filter(({ host }) => host).map(({ tag }) => tag),
      );
      this.foldedNames = null;
      this.typists.clear();
      return { fresh, lost };
    }

    presence({ online, joined, left, renamed }) {
      this.online = online;
      this.foldedNames = null;
      for (const { from, to, tag } of renamed) {
        for (const [oldTag, name] of this.members) {
          if (name !== from) continue;
          this.members.delete(oldTag);
          if (this.hosts.delete(oldTag)) this.hosts.add(tag);
        }
        this.members.set(tag, to);
        this.stoppedTyping(from);
      }
      for (const { name, tag } of left) {
        this.members.delete(tag);
        this.stoppedTyping(name);
      }
      for (const { name, tag, host } of joined) {
        this.members.set(tag, name);
        this.setHost(tag, host);
      }
    }

    setHost(tag, isHost) {
      this.hosts[isHost ? "add" : "delete"](tag);
    }

    get crowded() {
      return this.online > Papo.protocol.LIMITS.members;
    }

    get people() {
      const people = Array.from(this.members, ([tag, name]) => ({
        tag,
        name,
        host: this.hosts.has(tag),
      }));
      return people.sort((a, b) => a.name.localeCompare(b.name, "pt-BR"));
    }

    get folded() {
      return (this.foldedNames ??= new Set(
        Array.from(this.members.values(), fold),
      ));
    }

    startedTyping(name) {
      this.typists.set(name, Date.now() + TYPING_MS);
      return TYPING_MS;
    }

    stoppedTyping(name) {
      return this.typists.delete(name);
    }

    get typing() {
      for (const [name, until] of this.typists)
        if (until <= Date.now()) this.typists.delete(name);
      return [...this.typists.keys()];
    }
  }

  Papo.Room = Room;
}
