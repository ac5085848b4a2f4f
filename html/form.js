"use strict";
{
  const {
    strings,
    address,
    names,
    protocol: { LIMITS, lengthOf },
    dom: { find, on },
    storage: { kept },
  } = Papo;

  const [form, name, server, secret, submit, error] = [
    "formulario",
    "nome",
    "servidor",
    "senha",
    "conectar",
    "erro",
  ].map(find);
  const NO_NAME = /[^\p{L}\p{M}\p{N}._' -]|^\p{M}/u;
  const hooks = {};

  function complain(text, field) {
    error.textContent = text;
    for (const input of [name, server, secret])
      input.ariaInvalid = input === field;
    field?.focus();
  }

  function enter() {
    const [who, where] = [names.clean(name.value), address.parse(server.value)];
    if (who === "") return complain(strings.nameMissing, name);
    if (lengthOf(who) > LIMITS.name || NO_NAME.test(who))
      return complain(strings.nameInvalid, name);
    if (where === null) return complain(strings.addressInvalid, server);
    complain("");
    kept.set("name", who);
    kept.set("server", where.host);
    hooks.onEnter({ name: who, password: secret.value, ...where });
  }

  server.value = address.suggested(kept.get("server"));
  on(form, "submit", (event) => {
    event.preventDefault();
    enter();
  });
  on(form, "input", () => complain(""));

  Papo.form = {
    hooks,
    enter,
    setBusy(busy) {
      submit.disabled = busy;
      submit.textContent = busy ? strings.entering : strings.enter;
    },
    show(refusal) {
      name.value = kept.get("name") ?? "";
      (name.value ? submit : name).focus();
      if (!refusal) return;
      const asks = /^password/u.test(refusal.code) && !refusal.room;
      if (asks) find("pede-senha").hidden = false;
      const field = asks
        ? secret
        : { name_taken: name, name_invalid: name, unreachable: server }[
            refusal.code
          ];
      complain(refusal.text ?? strings.unreachable(server.value.trim()), field);
    },
  };
}
