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
    joins,
    rooms,
    sendQueue,
    history,
    menus,
    dom: { find, on, element },
  } = Papo;

  const isInChat = () => !find("papo").hidden;

  const localKey = new Promise((resolve) => {
    if (!address.isFile) return resolve(undefined);
    const script = element("script", { src: "chave.js" });
    on(script, "load error", () => resolve(Papo.key));
    document.head.append(script);
  });

  Papo.connection.hooks.onState = (state) => {
    if (state.name !== "online" && state.name !== "connecting") {
      session.disconnected();
      joins.clear();
      history.cancelAll();
      sendQueue.connectionLost();
    }
    Papo.showStatus(state);
    find("conversa").classList.toggle("offline", state.name !== "online");
    form.setBusy(state.name === "connecting" && !isInChat());
    if (state.name === "online" && !isInChat()) showChat();
    if (state.name === "idle" || state.name === "ended") showForm(state);
    if (state.name === "waiting" && !isInChat()) form.showRetry(state);
  };

  function showChat() {
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

  form.hooks.onEnter = async (values) => session.enter(values, await localKey);
  form.hooks.onChange = Papo.connection.cancel;
  Object.assign(composer.hooks, {
    onSend: commands.perform,
    onTyping: commands.typing,
    onKey: complete.key,
  });
  composer.hooks.lastOwnText = () => commands.lastOwn()?.text;
  sendQueue.hooks.onPause = (ms, code) => {
    const sentence = code === "slow_mode" ? strings.slowMode : strings.tooFast;
    composer.warn(sentence(Math.ceil(ms / 1000)), ms);
  };
  complete.sources.commands = () =>
    commands.table.map(({ all, description }) => ({
      value: all[0],
      hint: description,
    }));
  complete.sources.people = () =>
    (rooms.current?.people ?? [])
      .filter(({ tag }) => tag !== session.me.tag)
      .map(({ name }) => ({ value: name }));
  sidebar.hooks.onPerson = (person, node) =>
    session.me.moderator
      ? menus.openFor(person, node)
      : composer.write(`/msg ${person.name} `);
  sidebar.hooks.onRoom = rooms.show;
  Object.assign(rooms.hooks, {
    onRetry(id) {
      sendQueue.retry(id);
      scroll.toEnd();
    },
    onDiscard: sendQueue.discard,
    onTakeBack(id) {
      const item = sendQueue.discard(id);
      if (item) composer.takeBack(commands.typedForm(item));
    },
    onShow: (room) => Papo.showInvitation(session.server, room.name),
    loadEarlier: history.loadEarlier,
    loadLater: history.loadLater,
    loadLatest: history.loadLatest,
    loadAround: history.loadAround,
  });
  search.hooks.onSearch = commands.search;
  search.hooks.onChoose = (seq) => history.loadAround(rooms.current, seq);
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

  function cycleFocus(back) {
    const regions = ["conversa", "escrever", "pessoas"]
      .map(find)
      .filter((node) => node.checkVisibility());
    const at = regions.findIndex((node) =>
      node.contains(document.activeElement),
    );
    const next = regions.at((at + (back ? -1 : 1)) % regions.length);
    (next === scroll.box
      ? next
      : next.querySelector("textarea, button")
    )?.focus();
  }

  function onEscape() {
    if (search.close() || document.querySelector(":popover-open")) return;
    sidebar.close();
    if (rooms.current) rooms.current.list.forgetUnread();
    scroll.toEnd();
    composer.box.focus();
  }

  on(document, "keydown", (event) => {
    if (!isInChat() || event.isComposing || event.defaultPrevented) return;
    const { key, ctrlKey, metaKey, altKey, target } = event;
    const offset = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (key === "Escape") return onEscape();
    if ((ctrlKey || metaKey) && key.toLowerCase() === "k") search.open();
    else if (key === "/" && !target.matches("input, textarea, select"))
      search.open();
    else if (altKey && offset) rooms.switchBy(offset);
    else if (key === "F6") cycleFocus(event.shiftKey);
    else return;
    event.preventDefault();
  });

  on(document, "dragover drop paste", (event) => {
    const { files, types } = event.dataTransfer ?? event.clipboardData;
    if (event.dataTransfer && types.includes("Files")) event.preventDefault();
    if (files.length > 0 && !types.includes("text/plain"))
      rooms.notify(strings.noFiles);
  });
  form.show();
  if (storage.session.get("rooms")) form.enter();
}
