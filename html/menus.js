"use strict";
{
  const {
    strings,
    alerts,
    commands,
    composer,
    session,
    storage: { kept },
    dom: { find, on, say, element, button },
  } = Papo;

  const [theme, presence, notices, sound] = [
    "tema",
    "ver-entradas",
    "avisar",
    "som",
  ].map(find);

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
  if (!alerts.isPossible) say(find("sem-avisos"), strings.noticesImpossible);
  on(theme, "change", () => kept.set("theme", theme.value));
  on(presence, "change", () =>
    kept.set("presence", presence.checked ? "yes" : "no"),
  );
  on(notices, "change", () => turn("notices", notices));
  on(sound, "change", () => turn("sound", sound));
  for (const each of document.querySelectorAll(".menu")) {
    on(
      each,
      "click",
      ({ target }) => target.matches("button") && each.hidePopover(),
    );
  }

  const [person, room] = [find("gente"), find("organizar")];
  const buttons = commands.table.filter(({ label }) => label);
  const concernsOne = ({ argument }) => argument.includes("Ana");

  // Does at once what is complete, and leaves in the box what lacks a text or has a time that may be another.
  function control({ label, all: [word], argument }, name) {
    const choices = argument.match(/sim|não/gu);
    if (choices) {
      const answers = choices.map((answer) =>
        button("link", answer, () => commands.perform(`/${word} ${answer}`)),
      );
      for (const each of answers)
        each.ariaLabel = `${label}: ${each.textContent}`;
      return element("p", "choices", label, ...answers);
    }
    const typed = `/${word} ${argument.replace(/texto|[[\]]/gu, "").replace("Ana", () => name)}`;
    return button("quiet", label, () =>
      (/^(Ana)?$/u.test(argument) ? commands.perform : composer.write)(typed),
    );
  }

  room.append(
    ...buttons
      .filter((each) => !concernsOne(each))
      .map((each) => control(each)),
  );

  Papo.menus = {
    refresh: () => (room.hidden = !session.me.host),
    choose({ name, host }, source) {
      const useless = host ? "promover" : "rebaixar";
      const fit = buttons.filter(
        (each) => concernsOne(each) && each.all[0] !== useless,
      );
      person.replaceChildren(
        element("h2", "", name),
        ...fit.map((each) => control(each, name)),
      );
      person.showPopover({ source });
      person.querySelector("button").focus();
    },
  };
}
