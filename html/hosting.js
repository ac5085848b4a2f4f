"use strict";
{
const { commands, composer, session, dom: { find, element, button } } = Papo;

const [person, room] = [find("gente"), find("organizar")];
const buttons = commands.all.filter(({ label }) => label);
const isAboutPerson = ({ argument }) => argument.includes("Ana");

// Does at once what is complete, and leaves in the box what lacks a text or has a time that may be another.
function control({ label, all: [word], argument }, name) {
	const choices = argument.match(/sim|não/gu);
	if (choices) {
		const answers = choices.map((answer) => button("link", answer, () => commands.perform(`/${word} ${answer}`)));
		for (const each of answers) each.ariaLabel = `${label}: ${each.textContent}`;
		return element("p", "choices", label, ...answers);
	}
	const typed = `/${word} ${argument.replace(/texto|[[\]]/gu, "").replace("Ana", () => name)}`;
	return button("quiet", label, () => (/^(Ana)?$/u.test(argument) ? commands.perform : composer.write)(typed));
}

room.append(...buttons.filter((each) => !isAboutPerson(each)).map((each) => control(each)));

Papo.hosting = {
	refresh: () => (room.hidden = !session.me.host),
	choose({ name, host }, source) {
		const useless = host ? "promover" : "rebaixar";
		const fit = buttons.filter((each) => isAboutPerson(each) && each.all[0] !== useless);
		person.replaceChildren(element("h2", "", name), ...fit.map((each) => control(each, name)));
		person.showPopover({ source });
		person.querySelector("button").focus();
	},
};
}
