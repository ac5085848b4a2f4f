"use strict";
{
  const DEFAULT_PORT = ":9000";
  const BARE_IPV6 = /^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*$/iu;
  const ADDRESS = /^(\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(:\d{1,5})?$/iu;

  const isFile = location.protocol === "file:";
  const secure = location.protocol === "https:" ? "s" : "";

  function hash() {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  }

  function parse(typed) {
    let host = typed
      .trim()
      .replace(/^(?:https?|wss?):\/\//iu, "")
      .replace(/[/#].*$/u, "")
      .replace(BARE_IPV6, "[$&]");
    const parts = ADDRESS.exec(host);
    if (parts && !parts[2] && !secure && host !== location.host)
      host += DEFAULT_PORT;
    const url = `ws${secure}://${host}/`;
    return parts && URL.canParse(url) ? { host, url } : null;
  }

  // The key that makes a host must stand neither in the address nor in what the browser remembers of it.
  const KEY = "#chave=";
  const hostKey = location.hash.startsWith(KEY)
    ? hash().slice(KEY.length - 1)
    : undefined;
  if (hostKey)
    history.replaceState(null, "", location.pathname + location.search);
  Papo.dom.on(
    window,
    "hashchange",
    () => location.hash.startsWith(KEY) && location.reload(),
  );

  Papo.address = {
    hostKey,
    isFile,
    parse,
    room: () => (isFile ? "" : hash()),
    suggested: (last) =>
      isFile ? hash() || last || `localhost${DEFAULT_PORT}` : location.host,
    invitation: (host, room) =>
      `http${secure}://${host}/${room === Papo.protocol.LOBBY ? "" : `#${encodeURIComponent(room)}`}`,
  };
}
