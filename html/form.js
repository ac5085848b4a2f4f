"use strict";
{
  const {
    strings,
    address,
    names,
    protocol: { LIMITS, lengthOf },
    dom: { find, on },
    storage: { local },
  } = Papo;

  const [form, name, server, password, submit, error] = [
    "formulario",
    "nome",
    "servidor",
    "senha",
    "conectar",
    "erro",
  ].map(find);
  const FORBIDDEN_IN_NAME = /[^\p{L}\p{M}\p{N}._' -]|^\p{M}/u;
  const hooks = {};

  function showError(text, field) {
    error.textContent = text;
    for (const input of [name, server, password])
      input.ariaInvalid = input === field;
    field?.focus();
  }

  function enter() {
    const [who, where] = [names.clean(name.value), address.parse(server.value)];
    if (who === "") return showError(strings.nameMissing, name);
    if (lengthOf(who) > LIMITS.name || FORBIDDEN_IN_NAME.test(who))
      return showError(strings.nameInvalid, name);
    if (where === null) return showError(strings.addressInvalid, server);
    showError("");
    local.set("name", who);
    local.set("server", where.server);
    hooks.onEnter({ name: who, password: password.value, ...where });
  }

  server.value = address.suggested(local.get("server"));
  on(form, "submit", (event) => {
    event.preventDefault();
    enter();
  });
  on(form, "input", () => showError(""));

  Papo.form = {
    hooks,
    enter,
    setBusy(busy) {
      submit.disabled = busy;
      submit.textContent = busy ? strings.entering : strings.enter;
    },
    show(refusal) {
      name.value = local.get("name") ?? "";
      (name.value ? submit : name).focus();
      if (!refusal) return;
      const asksPassword = /^password/u.test(refusal.code) && !refusal.room;
      if (asksPassword) find("pede-senha").hidden = false;
      const field = asksPassword
        ? password
        : { name_taken: name, name_invalid: name, unreachable: server }[
            refusal.code
          ];
      showError(
        refusal.text ?? strings.unreachable(server.value.trim()),
        field,
      );
    },
  };
}
