// The first screen: a name, a server, one button; and what went wrong with them.
// Knows two fields; never what happens after somebody is in.
"use strict";

(() => {
	const { words, address } = Papo;
	const { find } = Papo.dom;
	const { clean, isName } = Papo.names;
	const { kept } = Papo.storage;
	// Refusals that another name would cure.
	const ABOUT_NAME = ["name_taken", "name_invalid"];

	const [form, name, server, submit] = [find("formulario"), find("nome"), find("servidor"), find("conectar")];
	// `onEnter({name, host, url})` is called with values that look right.
	const hooks = { onEnter() {} };

	// Shows what is wrong, at the field that it is about.
	function complain(text, field) {
		find("erro").textContent = text;
		for (const input of [name, server]) input.setAttribute("aria-invalid", String(input === field));
		field?.focus();
	}

	function enter() {
		const [who, where] = [clean(name.value), address.parse(server.value)];
		if (who === "") return complain(words.nameMissing, name);
		if (!isName(who)) return complain(words.nameInvalid, name);
		if (where === null) return complain(words.addressInvalid, server);
		complain("", null);
		kept.set("name", who);
		kept.set("server", where.host);
		return hooks.onEnter({ name: who, ...where });
	}

	function setBusy(busy) {
		submit.disabled = busy;
		submit.textContent = busy ? words.entering : words.enter;
		form.setAttribute("aria-busy", String(busy));
	}

	// Fills in what was used last, and says why we are not in, or not any more.
	function show(refusal) {
		name.value = kept.get("name") ?? "";
		(name.value === "" ? name : submit).focus();
		if (!refusal) return;
		const { code, text } = refusal;
		const field = ABOUT_NAME.includes(code) ? name : code === "unreachable" ? server : null;
		complain(text ?? words.unreachable(server.value.trim()), field);
	}

	server.value = address.suggested(kept.get("server"));
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		enter();
	});
	form.addEventListener("input", () => complain("", null));

	Papo.form = { hooks, show, enter, setBusy };
})();
