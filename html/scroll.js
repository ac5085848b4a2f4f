"use strict";
{
  const {
    strings,
    dom: { find, on, say },
  } = Papo;
  const NEAR_PX = 100;

  const [box, button] = [find("conversa"), find("novas")];
  let [following, unseen, lastTop, above, seenLine] = [true, 0, 0, null, null];
  const hooks = {};

  const topOf = (node) => node.getBoundingClientRect().top;
  const articles = () => [
    ...box.querySelectorAll(".timeline:not([hidden]) article"),
  ];

  function settle() {
    if (following) box.scrollTop = box.scrollHeight;
    lastTop = box.scrollTop;
    offer();
  }

  function offer() {
    const atEnd = unseen === 0 && hooks.isLive();
    const line = hooks.unreadLine();
    const where = line?.isConnected ? topOf(line) - topOf(box) : Infinity;
    if (where === Infinity) seenLine = null;
    else if (where >= 0 && where < box.clientHeight && !document.hidden)
      seenLine = line;
    above = atEnd && where < 0 && seenLine !== line ? line : null;
    button.hidden = atEnd && !above;
    button.classList.toggle("up", above !== null);
    say(
      button,
      above
        ? `↑ ${strings.newLine}`
        : unseen > 0
          ? strings.newMessages(unseen)
          : strings.backToTalk,
    );
  }

  function reachedEnd() {
    [following, unseen] = [true, 0];
    settle();
    hooks.onEnd();
  }

  function scrolled() {
    const near = box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR_PX;
    const [up, down] = [box.scrollTop < lastTop, box.scrollTop > lastTop];
    lastTop = box.scrollTop;
    if (near && !hooks.isLive()) hooks.onLater();
    else if (near && down && !following) reachedEnd();
    else if (up && !near) following = false;
    offer();
  }

  function toEnd() {
    if (!hooks.isLive()) hooks.onLatest();
    reachedEnd();
  }

  function keepPlace(change) {
    const edge = topOf(box);
    const anchor = following
      ? null
      : articles().find((node) => topOf(node) >= edge);
    const before = anchor && topOf(anchor);
    change();
    if (anchor) box.scrollTop += topOf(anchor) - before;
    settle();
  }

  function lead(node) {
    following = false;
    node.scrollIntoView({ block: "center" });
    settle();
    node.classList.add("flash");
    node.addEventListener(
      "animationend",
      () => node.classList.remove("flash"),
      { once: true },
    );
    node.focus({ preventScroll: true });
  }

  function restore(place = { following: true, unseen: 0, top: 0 }) {
    ({ following, unseen } = place);
    box.scrollTop = place.top;
    settle();
  }

  function count(messages) {
    if (following) return;
    unseen += messages;
    settle();
  }

  on(box, "scroll", scrolled);
  on(button, "click", () => (above ? lead(above) : toEnd()));

  Papo.scroll = {
    box,
    hooks,
    articles,
    settle,
    toEnd,
    keepPlace,
    lead,
    restore,
    count,
    isFollowing: () => following,
    save: () => ({ following, unseen, top: box.scrollTop }),
  };
}
