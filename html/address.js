"use strict";
{
  const DEFAULT_PORT = ":9000";
  const BARE_IPV6 = /^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*$/iu;
  const ADDRESS = /^(\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(:\d{1,5})?$/iu;

  const isFile = location.protocol === "file:";
  const secureSuffix = location.protocol === "https:" ? "s" : "";

  function hash() {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  }

  function parse(input) {
    let host = input
      .trim()
      .replace(/^(?:https?|wss?):\/\//iu, "")
      .replace(/[/#].*$/u, "")
      .replace(BARE_IPV6, "[$&]");
    const parts = ADDRESS.exec(host);
    if (parts && !parts[2] && !secureSuffix && host !== location.host)
      host += DEFAULT_PORT;
    const url = `ws${secureSuffix}://${host}/`;
    return parts && URL.canParse(url) ? { server: host, url } : null;
  }

  // The moderator key must stay neither in the address bar nor in the browser's history.
  const KEY_PREFIX = "#chave=";
  const moderatorKey = location.hash.startsWith(KEY_PREFIX)
    ? hash().slice(KEY_PREFIX.length - 1)
    : undefined;
  if (moderatorKey)
    history.replaceState(null, "", location.pathname + location.search);
  Papo.dom.on(
    window,
    "hashchange",
    () => location.hash.startsWith(KEY_PREFIX) && location.reload(),
  );

  Papo.address = {
    moderatorKey,
    isFile,
    parse,
    room: () => (isFile ? "" : hash()),
    suggested: (last) =>
      isFile ? hash() || last || `localhost${DEFAULT_PORT}` : location.host,
    invitation: (server, room) =>
      `http${secureSuffix}://${server}/${room === Papo.protocol.LOBBY ? "" : `#${encodeURIComponent(room)}`}`,
  };
}
