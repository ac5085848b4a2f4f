// Loads the page's scripts; each uses only those before it.
for (const name of [
  "protocol",
  "strings",
  "dom",
  "storage",
  "names",
  "address",
  "text",
  "connection",
  "room",
  "message",
  "timeline",
  "scroll",
  "sidebar",
  "status",
  "composer",
  "complete",
  "alerts",
  "invite",
  "search",
  "form",
  "rooms",
  "session",
  "send-queue",
  "history",
  "commands",
  "menus",
  "message-toolbar",
  "incoming",
  "app",
]) {
  document.head.append(
    Object.assign(document.createElement("script"), {
      src: `${name}.js`,
      async: false,
    }),
  );
}
