// The menu: theme, notices, whether comings and goings are shown, another name, the way out.
// Knows its controls and what is kept of them; never the conversation.
"use strict";

(() => {
	const { words, alerts } = Papo;
	const { kept } = Papo.storage;
	const { find, say } = Papo.dom;

	const menu = find("menu");
	const [theme, presence, notices, sound] = [find("tema"), find("ver-entradas"), find("avisar"), find("som")];
	const hooks = { onRename() {}, onLeave() {} };

	// The style sheet does the rest by these attributes of the root.
	function apply() {
		const { dataset } = document.documentElement;
		dataset.theme = theme.value;
		dataset.presence = presence.checked ? "yes" : "no";
		kept.set("theme", theme.value);
		kept.set("presence", dataset.presence);
	}

	// A switch that can't be on goes back, with the reason beside it.
	async function turn(kind, box) {
		const reason = await alerts.turn(kind, box.checked);
		box.checked = alerts.isOn(kind) && reason === "";
		say(find("sem-avisos"), reason);
	}

	function setNotices(answer) {
		const on = { sim: true, nao: false }[Papo.names.fold(answer)];
		if (on === undefined) return menu.showPopover();
		notices.checked = on;
		turn("notices", notices).then(() => notices.checked === on || menu.showPopover());
	}

	function offer(id, act) {
		find(id).addEventListener("click", () => {
			menu.hidePopover();
			act();
		});
	}

	theme.value = kept.get("theme") ?? "auto";
	presence.checked = kept.get("presence") !== "no";
	[notices.checked, sound.checked] = [alerts.isOn("notices") && alerts.isPossible(), alerts.isOn("sound")];
	if (!alerts.isPossible()) say(find("sem-avisos"), words.noticesImpossible);
	notices.disabled = !alerts.isPossible();
	apply();
	for (const control of [theme, presence]) control.addEventListener("change", apply);
	notices.addEventListener("change", () => turn("notices", notices));
	sound.addEventListener("change", () => turn("sound", sound));
	offer("trocar-nome", () => hooks.onRename());
	offer("sair", () => hooks.onLeave());

	Papo.menu = { hooks, setNotices };
})();
