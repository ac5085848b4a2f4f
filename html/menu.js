"use strict";
{
const { words, alerts, storage: { kept }, dom: { find, on, say } } = Papo;

const [theme, presence, notices, sound] = ["tema", "ver-entradas", "avisar", "som"].map(find);

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
on(theme, "change", () => kept.set("theme", theme.value));
on(presence, "change", () => kept.set("presence", presence.checked ? "yes" : "no"));
on(notices, "change", () => turn("notices", notices));
on(sound, "change", () => turn("sound", sound));
for (const each of document.querySelectorAll(".menu")) {
	on(each, "click", ({ target }) => target.matches("button") && each.hidePopover());
}
}
