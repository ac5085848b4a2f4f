// The page's scripts, each after those that it builds on.
for (const name of [
  "protocol",
  "words",
  "dom",
  "storage",
  "names",
  "address",
  "text",
  "connection",
  "room",
  "line",
  "timeline",
  "follow",
  "panels",
  "status",
  "composer",
  "complete",
  "alerts",
  "invite",
  "search",
  "form",
  "desk",
  "session",
  "unsent",
  "pages",
  "commands",
  "menus",
  "strip",
  "talk",
  "app",
]) {
  document.head.append(
    Object.assign(document.createElement("script"), {
      src: `${name}.js`,
      async: false,
    }),
  );
}
