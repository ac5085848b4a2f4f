"use strict";
{
  const {
    strings,
    address,
    clock,
    names,
    protocol: { LIMITS, lengthOf },
    dom: { find, on },
    storage: { local },
  } = Papo;

  const form = find("formulario");
  const name = find("nome");
  const server = find("servidor");
  const password = find("senha");
  const submit = find("conectar");
  const error = find("erro");
  const FORBIDDEN_IN_NAME = /[^\p{L}\p{M}\p{N}._' -]|^\p{M}/u;
  const hooks = {};

  function showError(text, field) {
    error.textContent = text;
    for (const input of [name, server, password])
      input.ariaInvalid = input === field;
    field?.focus();
  }

  function enter() {
    const typedName = names.clean(name.value);
    const target = address.parse(server.value);
    if (typedName === "") return showError(strings.nameMissing, name);
    if (lengthOf(typedName) > LIMITS.name || FORBIDDEN_IN_NAME.test(typedName))
      return showError(strings.nameInvalid, name);
    if (target === null) return showError(strings.addressInvalid, server);
    showError("");
    local.set("name", typedName);
    local.set("server", target.server);
    hooks.onEnter({ name: typedName, password: password.value, ...target });
  }

  server.value = address.suggested(local.get("server"));
  on(form, "submit", (event) => {
    event.preventDefault();
    enter();
  });
  on(form, "input", () => {
    showError("");
    hooks.onChange();
  });

  Papo.form = {
    hooks,
    enter,
    setBusy(busy) {
      submit.disabled = busy;
      submit.textContent = busy ? strings.entering : strings.enter;
    },
    // The first entry is tried again by itself; the button does it at once.
    showRetry({ reason, until }) {
      const seconds = Math.ceil((until - clock.now()) / 1000);
      showError(`${reason} ${strings.nextTry(seconds)}`);
    },
    show(refusal) {
      name.value = local.get("name") ?? "";
      (name.value ? submit : name).focus();
      if (!refusal) return;
      const asksPassword = /^password/u.test(refusal.code) && !refusal.room;
      if (asksPassword) find("pede-senha").hidden = false;
      const field = asksPassword
        ? password
        : {
            name_taken: name,
            name_confusable: name,
            name_invalid: name,
            unreachable: server,
            silent: server,
          }[refusal.code];
      const { unreachable, silent } = strings;
      const sentence = refusal.code in { silent } ? silent : unreachable;
      showError(refusal.text ?? sentence(server.value.trim()), field);
    },
  };
}
