"use strict";
{
  const {
    strings,
    dom: { find, on, setText },
  } = Papo;
  const NEAR_PX = 100;

  const box = find("conversa");
  const button = find("novas");
  let following = true;
  let unseen = 0;
  let lastTop = 0;
  let unreadAbove = null;
  let seenUnreadLine = null;
  const hooks = {};

  const topOf = (node) => node.getBoundingClientRect().top;
  const articles = () => [
    ...box.querySelectorAll(".timeline:not([hidden]) article"),
  ];

  function update() {
    if (following) box.scrollTop = box.scrollHeight;
    lastTop = box.scrollTop;
    updateButton();
  }

  function updateButton() {
    const atEnd = unseen === 0 && hooks.isLive();
    const line = hooks.unreadLine();
    const offset = line?.isConnected ? topOf(line) - topOf(box) : Infinity;
    if (offset === Infinity) seenUnreadLine = null;
    else if (offset >= 0 && offset < box.clientHeight && !document.hidden)
      seenUnreadLine = line;
    unreadAbove = atEnd && offset < 0 && seenUnreadLine !== line ? line : null;
    button.hidden = atEnd && !unreadAbove;
    button.classList.toggle("up", unreadAbove !== null);
    setText(
      button,
      unreadAbove
        ? `↑ ${strings.newMessagesLine}`
        : unseen > 0
          ? strings.newMessages(unseen)
          : strings.backToConversation,
    );
  }

  function reachedEnd() {
    following = true;
    unseen = 0;
    update();
    hooks.onEnd();
  }

  function onScroll() {
    const near = box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR_PX;
    const up = box.scrollTop < lastTop;
    const down = box.scrollTop > lastTop;
    lastTop = box.scrollTop;
    if (near && !hooks.isLive()) hooks.onLater();
    else if (near && down && !following) reachedEnd();
    else if (up && !near) following = false;
    updateButton();
  }

  function toEnd() {
    if (!hooks.isLive()) hooks.onLatest();
    reachedEnd();
  }

  function keepPosition(change) {
    const edge = topOf(box);
    const anchor = following
      ? null
      : articles().find((node) => topOf(node) >= edge);
    const before = anchor && topOf(anchor);
    change();
    if (anchor) box.scrollTop += topOf(anchor) - before;
    update();
  }

  function scrollTo(node) {
    following = false;
    node.scrollIntoView({ block: "center" });
    update();
    node.classList.add("flash");
    node.addEventListener(
      "animationend",
      () => node.classList.remove("flash"),
      { once: true },
    );
    node.focus({ preventScroll: true });
  }

  function restore(position = { following: true, unseen: 0, top: 0 }) {
    ({ following, unseen } = position);
    box.scrollTop = position.top;
    update();
  }

  function countUnseen(messages) {
    if (following) return;
    unseen += messages;
    update();
  }

  on(box, "scroll", onScroll);
  on(button, "click", () => (unreadAbove ? scrollTo(unreadAbove) : toEnd()));

  Papo.scroll = {
    box,
    hooks,
    articles,
    update,
    toEnd,
    keepPosition,
    scrollTo,
    restore,
    countUnseen,
    isFollowing: () => following,
    save: () => ({ following, unseen, top: box.scrollTop }),
  };
}
