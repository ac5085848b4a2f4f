// The server's address: what people type, what is filled in for them, and the WebSocket address that comes of it.
// Knows addresses; must never know connections.
"use strict";

(() => {
  const DEFAULT_PORT = "9000";
  // "host", "host:port", "[::1]:9000"; spaces, paths and signs that end a host are no part of an address.
  const ADDRESS = /^(\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::(\d{1,5}))?$/iu;
  const BARE_IPV6 = /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.]*$/iu;

  const isFile = location.protocol === "file:";
  const isSecure = location.protocol === "https:";

  // What stands after "#": as a file the server's address, served the room to open.
  function fromHash() {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  }

  // The served page knows its server; a file takes the one in its own address, or the one used last.
  function suggested(remembered) {
    if (!isFile) return location.host;
    return fromHash() || remembered || `localhost:${DEFAULT_PORT}`;
  }

  function room() {
    return isFile ? "" : fromHash();
  }

  // {host, url}, or null if this can't be an address. People paste what they see, so "http://…/" is taken too.
  function parse(typed) {
    let host = typed.trim().replace(/^(?:https?|wss?):\/\//iu, "").replace(/[/#].*$/u, "");
    if (BARE_IPV6.test(host)) host = `[${host}]`;
    const parts = ADDRESS.exec(host);
    if (!parts) return null;
    // The page's own host without a port, or anything beyond a secure proxy, is on the scheme's own port.
    const knowsPort = parts[2] !== undefined || isSecure || host === location.host;
    if (!knowsPort) host = `${host}:${DEFAULT_PORT}`;
    try {
      return { host, url: new URL(`${isSecure ? "wss" : "ws"}://${host}/`).href };
    } catch {
      return null;
    }
  }

  Papo.address = Object.freeze({ isFile, suggested, room, parse });
})();
