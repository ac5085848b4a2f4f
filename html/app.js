// Brings the parts together: finds the page's elements, gives each part its own, and moves between the two screens.
// Knows ids of elements; must never know the protocol.
"use strict";

(() => {
  const { words, address, storage, commands } = Papo;
  const MIDNIGHT_CHECK_MS = 60_000;

  const find = (id) => document.getElementById(id);

  // A page opened as a file shows a key that only this computer can read; the server writes it beside the page.
  // Most of the time there is none, and that is fine.
  function fileKey() {
    if (!address.isFile) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = "chave.js";
      script.onload = script.onerror = () => resolve(window.PAPO_CHAVE);
      document.head.append(script);
    });
  }

  class App {
    #key = fileKey();
    #form = this.#makeForm();
    #composer = this.#makeComposer();
    #status = this.#makeStatus();
    #people = this.#makePeople();
    #desk = this.#makeDesk();
    #conversation = new Papo.Conversation({
      desk: this.#desk,
      onState: (state) => this.#stateChanged(state),
      onLimits: (limits) => {
        this.#composer.limit = limits.text;
      },
    });

    constructor() {
      find("sair").addEventListener("click", () => this.#conversation.wishes.leave());
      document.addEventListener("keydown", (event) => this.#keyPressed(event));
      this.#refuseFiles();
      setInterval(() => this.#desk.refreshDays(), MIDNIGHT_CHECK_MS);
      this.#form.focus();
    }

    // The parts

    #makeForm() {
      return new Papo.EntryForm({
        form: find("formulario"), name: find("nome"), server: find("servidor"), button: find("conectar"),
        error: find("erro"),
        onEnter: async (values) => this.#conversation.enter(values, await this.#key),
      });
    }

    #makeComposer() {
      return new Papo.Composer({
        form: find("escrever"), box: find("mensagem"), counter: find("restam"),
        onSend: (text) => commands.perform(text, this.#conversation.wishes),
        onTyping: () => this.#conversation.wishes.typing(),
      });
    }

    #makeStatus() {
      return new Papo.StatusView({
        word: find("estado"), root: find("papo"), banner: find("aviso"), text: find("aviso-texto"),
        button: find("tentar"),
        onRetry: () => this.#conversation.retryNow(),
      });
    }

    #makePeople() {
      return new Papo.PeopleView({
        list: find("pessoas"), title: find("titulo-pessoas"), toggle: find("ver-pessoas"),
        panel: find("painel-pessoas"),
        onChoose: (name) => this.#composer.write(`/msg ${/\s/u.test(name) ? `"${name}"` : name} `),
      });
    }

    #makeDesk() {
      const roomsView = new Papo.RoomsView({
        panel: find("painel-salas"), list: find("salas"),
        onChoose: (room) => this.#desk.show(room),
      });
      return new Papo.Desk({
        host: find("conversa"), newButton: find("novas"), typingLine: find("digitando"),
        composer: this.#composer, peopleView: this.#people, roomsView,
        choices: {
          onRetry: (id) => this.#conversation.wishes.retry(id),
          onDiscard: (id) => this.#conversation.wishes.discard(id),
        },
      });
    }

    // The two screens

    #stateChanged(state) {
      this.#status.show(state);
      find("conversa").classList.toggle("offline", state.name !== "online");
      const talking = !find("papo").hidden;
      this.#form.busy = state.name === "connecting" && !talking;
      if (state.name === "online" && !talking) this.#showTalk();
      if (state.name === "idle" || state.name === "ended") this.#showForm(state);
    }

    #showTalk() {
      find("entrada").hidden = true;
      find("papo").hidden = false;
      this.#desk.toEnd();
      this.#composer.focus();
    }

    #showForm(state) {
      find("papo").hidden = true;
      find("entrada").hidden = false;
      find("nome").value = storage.kept.get("name") ?? "";
      this.#form.focus();
      if (state.name === "ended") this.#form.refused(state);
    }

    // Internal

    #keyPressed(event) {
      if (find("papo").hidden || event.isComposing) return;
      if (event.key === "Escape") {
        this.#people.close();
        this.#desk.toEnd();
      }
      if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        this.#desk.step(event.key === "ArrowUp" ? -1 : 1);
      }
    }

    // The browser's own answer to a dropped file is to leave the conversation and show it.
    #refuseFiles() {
      document.addEventListener("dragover", (event) => event.preventDefault());
      document.addEventListener("drop", (event) => {
        event.preventDefault();
        if (event.dataTransfer?.files.length > 0) this.#conversation.wishes.note(words.noFiles);
      });
    }
  }

  new App();
})();
