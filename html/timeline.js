"use strict";
{
  const {
    strings,
    clock,
    message: view,
    dom: { element, button, setText, oncePerFrame },
  } = Papo;
  const { isChange, applyChange } = view;

  const GROUP_MS = 5 * 60_000;
  const MAX_LINES = 400;

  const dayOf = (line) => line && new Date(line.at).toDateString();
  const continuesGroup = (line, before) =>
    line.author &&
    before?.author === line.author &&
    Math.abs(line.at - before.at) < GROUP_MS;

  function toLine(entry) {
    const { at, seq, tag, action } = entry;
    const make = (quote) =>
      entry.hidden ? element("i") : view.message(entry, quote(entry.reply_to));
    return {
      at,
      seq,
      entry,
      author: action || entry.hidden ? null : tag,
      make,
    };
  }

  // Where a line stands among the entries: by seq, since a server's clock may be wrong for a while.
  const position = ({ seq, after }) => seq ?? after + 0.5;

  function remove(lines) {
    for (const { heading, node } of lines) {
      heading?.remove();
      node.remove();
    }
  }

  function mergePresence(line, last) {
    const merged = last?.net && clock.since(last.heardAt) < GROUP_MS;
    const target = merged
      ? last
      : Object.assign(line, { net: new Map(), renames: [] });
    const { net, renames } = target;
    const record = (names, direction) =>
      names.forEach((name) => net.delete(name) || net.set(name, direction));
    const namesThat = (direction) =>
      [...net.keys()].filter((name) => net.get(name) === direction);
    record(line.joined, "joined");
    record(line.left, "left");
    renames.push(...line.renamed.map(strings.renamed));
    target.at = line.at;
    target.heardAt = line.heardAt;
    const text = [
      strings.joined(namesThat("joined")),
      ...renames,
      strings.left(namesThat("left")),
    ]
      .filter(Boolean)
      .join(" · ");
    const node = view.notice(text, line.at);
    node.hidden = text === "";
    target.node?.replaceWith(node);
    target.node = node;
    return merged;
  }

  Papo.timeline = (hooks) => {
    const root = element("div", "timeline");
    const list = element("div", "lines");
    const tail = element("div", "pending");
    const top = element("div", "top");
    const beginning = element("p", "notice", strings.beginning);
    const empty = element("p", "notice empty", strings.noMessages);
    const unread = view.separator("unread-line", strings.newMessagesLine);
    const earlierButton = button("link", strings.earlier, hooks.onEarlier);
    let lines = [];
    let queue = [];
    let whispers = [];
    let unreadFrom = null;
    const pending = new Map();
    const timeline = { first: 1, end: 0, element: root, top, unread };
    top.append(earlierButton);
    top.hidden = true;
    root.append(top, beginning, empty, list, tail);

    function quote(seq) {
      const entry = lines.find((line) => line.seq === seq)?.entry;
      return seq
        ? [
            button(
              "link quote",
              strings.quote(seq, entry?.hidden ? null : entry),
              () => hooks.onQuote(seq),
            ),
          ]
        : [];
    }

    function updateGrouping(index) {
      const line = lines[index];
      const before = lines[index - 1];
      if (!line) return;
      const newDay = dayOf(line) !== dayOf(before);
      if (newDay && !line.heading)
        line.node.before(
          (line.heading = view.separator("day", strings.dayName(line.at))),
        );
      if (!newDay) line.heading = line.heading?.remove();
      line.node.classList.toggle(
        "continued",
        Boolean(!newDay && continuesGroup(line, before)),
      );
    }

    function render(start, end = lines.length, before = null) {
      const fragment = document.createDocumentFragment();
      for (let i = start; i < end; i += 1) {
        lines[i].node ??= lines[i].make(quote);
        fragment.append(lines[i].node);
        updateGrouping(i);
      }
      list.insertBefore(fragment, before);
    }

    function trimTop() {
      const excess = lines.length - MAX_LINES;
      if (excess <= 0) return;
      remove(lines.splice(0, excess));
      timeline.first = lines.find(({ seq }) => seq)?.seq ?? timeline.end + 1;
      updateGrouping(0);
      top.hidden = false;
    }

    function trimBottom() {
      if (lines.length <= MAX_LINES) return;
      remove(lines.splice(MAX_LINES));
      timeline.end = lines.findLast(({ seq }) => seq).seq;
    }

    function placeUnreadLine() {
      const line =
        unreadFrom === null
          ? undefined
          : lines.find(({ seq }) => seq >= unreadFrom);
      const next = line && (line.heading ?? line.node);
      if (!line) unread.remove();
      else if (unread.nextSibling !== next) next.before(unread);
      line?.node.classList.remove("continued");
    }

    function refresh() {
      placeUnreadLine();
      let before = lines.at(-1);
      for (const line of pending.values()) {
        line.node.classList.toggle(
          "continued",
          Boolean(continuesGroup(line, before)),
        );
        before = line;
      }
      beginning.hidden = !top.hidden || lines.length === 0;
      empty.hidden = lines.length + pending.size > 0 || !top.hidden;
      hooks.onDrawn();
    }

    function flush() {
      const added = queue.splice(0).slice(-MAX_LINES);
      const start = lines.length;
      for (const line of added)
        if (!line.joined || !mergePresence(line, lines.at(-1)))
          lines.push(line);
      if (added.length === 0) return;
      render(start);
      if (hooks.isFollowing()) trimTop();
      refresh();
    }

    const scheduleFlush = oncePerFrame(flush);

    function enqueue(line) {
      queue.push(line);
      if (queue.length > MAX_LINES) queue.shift();
      scheduleFlush();
    }

    function reset(entries, first, end, live = true) {
      queue = [];
      list.replaceChildren();
      Object.assign(timeline, { first, end });
      lines = [
        ...entries.map(toLine),
        ...whispers.filter(
          ({ after }) => after >= first - 1 && (live || after < end),
        ),
      ].sort((a, b) => position(a) - position(b));
      for (const line of lines) line.heading = null;
      render(0);
      refresh();
    }

    // The seqs of another log say nothing about when a whisper came.
    function resetLog(entries, first, end) {
      for (const line of whispers) line.after = first - 1;
      reset(entries, first, end);
    }

    const updateLines = (change) => {
      flush();
      hooks.keepPosition(() => {
        change();
        refresh();
      });
    };

    function applyChanges(entries) {
      const changes = entries.filter(isChange);
      if (changes.length === 0) return;
      flush();
      hooks.keepPosition(() => {
        for (const line of lines) {
          const entry = line.entry && changes.reduce(applyChange, line.entry);
          if (!entry || entry === line.entry) continue;
          const { node } = line;
          Object.assign(line, toLine(entry));
          line.node = line.make(quote);
          line.node.classList.toggle("continued", node.matches(".continued"));
          node.replaceWith(line.node);
        }
      });
    }

    function dropPending(id) {
      pending.get(id)?.node.remove();
      pending.delete(id);
      refresh();
    }

    return Object.assign(timeline, {
      flush,
      reset,
      resetLog,
      dropPending,

      append(entry) {
        applyChanges([entry]);
        if (lines.length + queue.length >= MAX_LINES && !hooks.isFollowing())
          return;
        timeline.end = entry.seq;
        enqueue(toLine(entry));
      },
      addWhisper(entry, after) {
        const line = { at: entry.at, after, make: () => view.whisper(entry) };
        whispers.push(line);
        enqueue(line);
      },
      notify: (text, at = Date.now()) =>
        enqueue({ at, make: () => view.notice(text) }),
      addPresence: (change) =>
        enqueue({ at: Date.now(), heardAt: clock.stamp(), ...change }),

      prepend: (entries, first) =>
        updateLines(() => {
          timeline.first = first;
          const next = lines[0];
          lines.unshift(...entries.map(toLine));
          render(0, entries.length, next && (next.heading ?? next.node));
          updateGrouping(entries.length);
          trimBottom();
        }),
      extend: (entries, end) =>
        updateLines(() => {
          timeline.end = end;
          lines.push(...entries.map(toLine));
          render(lines.length - entries.length);
          trimTop();
          applyChanges(entries);
        }),

      applyChanges,
      lastOwn: () =>
        [...lines, ...queue].findLast(
          ({ entry }) => entry?.mine && !entry.hidden && !entry.erased,
        )?.entry,
      nodeOf: (seq) => lines.find((line) => line.seq === seq)?.node,
      showEarlier: (there) =>
        hooks.keepPosition(() => {
          top.hidden = !there;
          refresh();
        }),
      setLoading(loading) {
        root.ariaBusy = loading;
        earlierButton.textContent = loading ? strings.loading : strings.earlier;
      },
      clear() {
        whispers = [];
        reset([], timeline.end + 1, timeline.end);
        timeline.showEarlier(timeline.end > 0);
      },
      updateDayNames() {
        for (const { heading, at } of lines)
          if (heading) setText(heading.firstChild, strings.dayName(at));
      },
      markUnread: (seq) => (unreadFrom ??= seq),
      forgetUnread() {
        unreadFrom = null;
        placeUnreadLine();
      },

      showPending(item, entry) {
        dropPending(item.id);
        const node = item.to ? view.whisper(entry) : view.message(entry);
        node.classList.add(item.state === "failed" ? "refused" : "unconfirmed");
        node.querySelector(".text").after(view.deliveryState(item, hooks));
        pending.set(item.id, {
          node,
          author: item.to || item.action ? null : entry.tag,
          at: entry.at,
        });
        tail.append(node);
        refresh();
      },
    });
  };
}
