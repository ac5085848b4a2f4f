"use strict";
{
  const {
    strings,
    address,
    storage,
    form,
    scroll,
    sidebar,
    composer,
    complete,
    search,
    commands,
    session,
    rooms,
    sendQueue,
    history,
    menus,
    dom: { find, on, element },
  } = Papo;

  const isTalking = () => !find("papo").hidden;

  const fileKey = new Promise((resolve) => {
    if (!address.isFile) return resolve(undefined);
    const script = element("script", { src: "chave.js" });
    on(script, "load error", () => resolve(Papo.key));
    document.head.append(script);
  });

  Papo.connection.hooks.onState = (state) => {
    if (state.name !== "online" && state.name !== "connecting") {
      session.out();
      history.forget();
      sendQueue.connectionLost();
    }
    Papo.showStatus(state);
    find("conversa").classList.toggle("offline", state.name !== "online");
    form.setBusy(state.name === "connecting" && !isTalking());
    if (state.name === "online" && !isTalking()) showTalk();
    if (state.name === "idle" || state.name === "ended") showForm(state);
  };

  function showTalk() {
    find("entrada").hidden = true;
    find("papo").hidden = false;
    scroll.toEnd();
    composer.box.focus();
  }

  function showForm(state) {
    session.refused(state);
    search.close();
    find("papo").hidden = true;
    find("entrada").hidden = false;
    form.show(state.name === "ended" ? state : null);
  }

  form.hooks.onEnter = async (values) => session.enter(values, await fileKey);
  Object.assign(composer.hooks, {
    onSend: commands.perform,
    onTyping: commands.typing,
    onKey: complete.key,
  });
  composer.hooks.lastSaid = () => commands.lastOwn()?.text;
  sendQueue.hooks.onHold = (ms) =>
    composer.warn(strings.tooFast(Math.ceil(ms / 1000)), ms);
  complete.sources.commands = () =>
    commands.table.map(({ all, does }) => ({ value: all[0], hint: does }));
  complete.sources.people = () =>
    (rooms.current?.people ?? [])
      .filter(({ tag }) => tag !== session.me.tag)
      .map(({ name }) => ({ value: name }));
  sidebar.hooks.onPerson = (who, node) =>
    session.me.host
      ? menus.choose(who, node)
      : composer.write(`/msg ${who.name} `);
  sidebar.hooks.onRoom = rooms.show;
  Object.assign(rooms.hooks, {
    onRetry(id) {
      sendQueue.retry(id);
      scroll.toEnd();
    },
    onDiscard: sendQueue.discard,
    onShow: (room) => Papo.showInvitation(session.host, room.name),
    ...history,
  });
  search.hooks.onSearch = commands.search;
  search.hooks.onChoose = (seq) => history.around(rooms.current, seq);
  search.hooks.onClose = () => composer.box.focus();
  on(find("trocar-nome"), "click", () => composer.write("/nome "));
  on(find("sair"), "click", commands.leave);
  on(find("tentar"), "click", Papo.connection.wake);
  on(find("buscar"), "click", () => search.open());
  on(document, "click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link) return;
    event.preventDefault();
    if (link.className === "skip") composer.box.focus();
    else commands.join(link.textContent);
  });

  function cycle(back) {
    const places = ["conversa", "escrever", "pessoas"]
      .map(find)
      .filter((node) => node.checkVisibility());
    const at = places.findIndex((node) =>
      node.contains(document.activeElement),
    );
    const next = places.at((at + (back ? -1 : 1)) % places.length);
    (next === scroll.box
      ? next
      : next.querySelector("textarea, button")
    )?.focus();
  }

  function escape() {
    if (search.close() || document.querySelector(":popover-open")) return;
    sidebar.close();
    if (rooms.current) rooms.current.list.forgetUnread();
    scroll.toEnd();
    composer.box.focus();
  }

  on(document, "keydown", (event) => {
    if (!isTalking() || event.isComposing || event.defaultPrevented) return;
    const { key, ctrlKey, metaKey, altKey, target } = event;
    const by = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (key === "Escape") return escape();
    if ((ctrlKey || metaKey) && key.toLowerCase() === "k") search.open();
    else if (key === "/" && !target.matches("input, textarea, select"))
      search.open();
    else if (altKey && by) rooms.step(by);
    else if (key === "F6") cycle(event.shiftKey);
    else return;
    event.preventDefault();
  });

  on(document, "dragover drop paste", (event) => {
    const { files, types } = event.dataTransfer ?? event.clipboardData;
    if (event.dataTransfer && types.includes("Files")) event.preventDefault();
    if (files.length > 0 && !types.includes("text/plain"))
      rooms.note(strings.noFiles);
  });
  form.show();
  if (storage.tab.get("rooms")) form.enter();
}
