"use strict";
{
const { words, alerts, storage: { kept }, dom: { find, on, say } } = Papo;

const [theme, presence, notices, sound] = ["tema", "ver-entradas", "avisar", "som"].map(find);

function apply() {
	const choice = { theme: theme.value, presence: presence.checked ? "yes" : "no" };
	Object.assign(document.documentElement.dataset, choice);
	for (const [key, value] of Object.entries(choice)) kept.set(key, value);
}

async function turn(kind, box) {
	const reason = await alerts.turn(kind, box.checked);
	box.checked = alerts.isOn(kind);
	say(find("sem-avisos"), reason);
}

theme.value = kept.get("theme") ?? "auto";
presence.checked = kept.get("presence") !== "no";
notices.checked = alerts.isOn("notices") && alerts.isPossible;
notices.disabled = !alerts.isPossible;
sound.checked = alerts.isOn("sound");
if (!alerts.isPossible) say(find("sem-avisos"), words.noticesImpossible);
apply();
on(theme, "change", apply);
on(presence, "change", apply);
on(notices, "change", () => turn("notices", notices));
on(sound, "change", () => turn("sound", sound));
for (const each of document.querySelectorAll(".menu")) {
	on(each, "click", ({ target }) => target.matches("button") && each.hidePopover());
}
}
