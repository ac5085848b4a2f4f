"use strict";
{
  const {
    strings,
    message: view,
    dom: { element, button, say, perFrame },
  } = Papo;
  const { isChange, changedBy } = view;

  const GROUP_MS = 5 * 60_000;
  const MOST_LINES = 400;

  const dayOf = (line) => line && new Date(line.at).toDateString();
  const continues = (line, before) =>
    line.author &&
    before?.author === line.author &&
    line.at - before.at < GROUP_MS;

  function lineOf(entry) {
    const { at, seq, tag, action } = entry;
    const make = (quote) =>
      entry.quiet ? element("i") : view.message(entry, quote(entry.reply_to));
    return { at, seq, entry, author: action || entry.quiet ? null : tag, make };
  }

  function remove(lines) {
    for (const { heading, node } of lines) {
      heading?.remove();
      node.remove();
    }
  }

  function merge(line, last) {
    const joins = last?.net && line.at - last.at < GROUP_MS;
    const into = joins
      ? last
      : Object.assign(line, { net: new Map(), renames: [] });
    const { net, renames } = into;
    const count = (names, way) =>
      names.forEach((name) => net.delete(name) || net.set(name, way));
    const those = (way) =>
      [...net.keys()].filter((name) => net.get(name) === way);
    count(line.joined, "came");
    count(line.left, "went");
    renames.push(...line.renamed.map(strings.nowCalled));
    into.at = line.at;
    const text = [
      strings.came(those("came")),
      ...renames,
      strings.went(those("went")),
    ]
      .filter(Boolean)
      .join(" · ");
    const node = view.notice(text, line.at);
    node.hidden = text === "";
    into.node?.replaceWith(node);
    into.node = node;
    return joins;
  }

  Papo.timeline = (hooks) => {
    const [root, list, tail, top] = ["timeline", "lines", "pending", "top"].map(
      (name) => element("div", name),
    );
    const beginning = element("p", "notice", strings.beginning);
    const empty = element("p", "notice empty", strings.noMessages);
    const unread = view.separator("unread-line", strings.newLine);
    const more = button("link", strings.earlier, hooks.onEarlier);
    let [lines, queue, whispers, unreadFrom] = [[], [], [], null];
    const pending = new Map();
    const timeline = { first: 1, end: 0, element: root, top, unread };
    top.append(more);
    top.hidden = true;
    root.append(top, beginning, empty, list, tail);

    function quote(seq) {
      const entry = lines.find((line) => line.seq === seq)?.entry;
      return seq
        ? [
            button(
              "link quote",
              strings.quote(seq, entry?.quiet ? null : entry),
              () => hooks.onQuote(seq),
            ),
          ]
        : [];
    }

    function regroup(index) {
      const [line, before] = [lines[index], lines[index - 1]];
      if (!line) return;
      const newDay = dayOf(line) !== dayOf(before);
      if (newDay && !line.heading)
        line.node.before(
          (line.heading = view.separator("day", strings.dayName(line.at))),
        );
      if (!newDay) line.heading = line.heading?.remove();
      line.node.classList.toggle(
        "continued",
        Boolean(!newDay && continues(line, before)),
      );
    }

    function build(start, end = lines.length, before = null) {
      const fragment = document.createDocumentFragment();
      for (let i = start; i < end; i += 1) {
        lines[i].node ??= lines[i].make(quote);
        fragment.append(lines[i].node);
        regroup(i);
      }
      list.insertBefore(fragment, before);
    }

    function trimTop() {
      const excess = lines.length - MOST_LINES;
      if (excess <= 0) return;
      remove(lines.splice(0, excess));
      timeline.first = lines.find(({ seq }) => seq)?.seq ?? timeline.end + 1;
      regroup(0);
      top.hidden = false;
    }

    function trimBottom() {
      if (lines.length <= MOST_LINES) return;
      remove(lines.splice(MOST_LINES));
      timeline.end = lines.findLast(({ seq }) => seq).seq;
    }

    function placeUnread() {
      const line =
        unreadFrom === null
          ? undefined
          : lines.find(({ seq }) => seq >= unreadFrom);
      const next = line && (line.heading ?? line.node);
      if (!line) unread.remove();
      else if (unread.nextSibling !== next) next.before(unread);
      line?.node.classList.remove("continued");
    }

    function settle() {
      placeUnread();
      let before = lines.at(-1);
      for (const line of pending.values()) {
        line.node.classList.toggle(
          "continued",
          Boolean(continues(line, before)),
        );
        before = line;
      }
      beginning.hidden = !top.hidden || lines.length === 0;
      empty.hidden = lines.length + pending.size > 0 || !top.hidden;
      hooks.onDrawn();
    }

    function flush() {
      const added = queue.splice(0).slice(-MOST_LINES);
      const start = lines.length;
      for (const line of added)
        if (!line.joined || !merge(line, lines.at(-1))) lines.push(line);
      if (added.length === 0) return;
      build(start);
      if (hooks.follows()) trimTop();
      settle();
    }

    const flushSoon = perFrame(flush);

    function enqueue(line) {
      queue.push(line);
      if (queue.length > MOST_LINES) queue.shift();
      flushSoon();
    }

    function reset(entries, first, end, live = true) {
      queue = [];
      list.replaceChildren();
      Object.assign(timeline, { first, end });
      const [from, to] = [
        entries[0]?.at ?? 0,
        live ? Infinity : entries.at(-1).at,
      ];
      lines = [
        ...entries.map(lineOf),
        ...whispers.filter(({ at }) => at >= from && at <= to),
      ].sort((a, b) => a.at - b.at);
      for (const line of lines) line.heading = null;
      build(0);
      settle();
    }

    const extend = (change) => {
      flush();
      hooks.keepPlace(() => {
        change();
        settle();
      });
    };

    function change(entries) {
      const changes = entries.filter(isChange);
      if (changes.length === 0) return;
      flush();
      hooks.keepPlace(() => {
        for (const line of lines) {
          const entry = line.entry && changes.reduce(changedBy, line.entry);
          if (!entry || entry === line.entry) continue;
          const { node } = line;
          Object.assign(line, lineOf(entry));
          line.node = line.make(quote);
          line.node.classList.toggle("continued", node.matches(".continued"));
          node.replaceWith(line.node);
        }
      });
    }

    function drop(id) {
      pending.get(id)?.node.remove();
      pending.delete(id);
      settle();
    }

    return Object.assign(timeline, {
      flush,
      reset,
      drop,

      append(entry) {
        change([entry]);
        if (lines.length + queue.length >= MOST_LINES && !hooks.follows())
          return;
        timeline.end = entry.seq;
        enqueue(lineOf(entry));
      },
      whisper(shown) {
        const line = { at: shown.at, make: () => view.whisper(shown) };
        whispers.push(line);
        enqueue(line);
      },
      note: (text, at = Date.now()) =>
        enqueue({ at, make: () => view.notice(text) }),
      presence: (change) => enqueue({ at: Date.now(), ...change }),

      prepend: (entries, first) =>
        extend(() => {
          timeline.first = first;
          const next = lines[0];
          lines.unshift(...entries.map(lineOf));
          build(0, entries.length, next && (next.heading ?? next.node));
          regroup(entries.length);
          trimBottom();
        }),
      extend: (entries, end) =>
        extend(() => {
          timeline.end = end;
          lines.push(...entries.map(lineOf));
          build(lines.length - entries.length);
          trimTop();
          change(entries);
        }),

      change,
      lastOwn: () =>
        [...lines, ...queue].findLast(
          ({ entry }) => entry?.mine && !entry.quiet && !entry.erased,
        )?.entry,
      nodeOf: (seq) => lines.find((line) => line.seq === seq)?.node,
      showEarlier: (there) =>
        hooks.keepPlace(() => {
          top.hidden = !there;
          settle();
        }),
      setLoading(loading) {
        root.ariaBusy = loading;
        more.textContent = loading ? strings.loading : strings.earlier;
      },
      wipe() {
        whispers = [];
        reset([], timeline.end + 1, timeline.end);
        timeline.showEarlier(timeline.end > 0);
      },
      nameDays() {
        for (const { heading, at } of lines)
          if (heading) say(heading.firstChild, strings.dayName(at));
      },
      markUnread: (seq) => (unreadFrom ??= seq),
      forgetUnread() {
        unreadFrom = null;
        placeUnread();
      },

      pend(item, shown) {
        drop(item.id);
        const node = item.to ? view.whisper(shown) : view.message(shown);
        node.classList.add(item.state === "failed" ? "refused" : "unconfirmed");
        node.querySelector(".text").after(view.fate(item, hooks));
        pending.set(item.id, {
          node,
          author: item.to || item.action ? null : shown.tag,
          at: shown.at,
        });
        tail.append(node);
        settle();
      },
    });
  };
}
