"use strict";
{
  const {
    strings,
    alerts,
    commands,
    composer,
    session,
    storage: { local },
    dom: { find, on, setText, element, button },
  } = Papo;

  const theme = find("tema");
  const presence = find("ver-entradas");
  const notifications = find("avisar");
  const sound = find("som");

  async function setAlert(kind, box) {
    const reason = await alerts.setEnabled(kind, box.checked);
    box.checked = alerts.isEnabled(kind);
    setText(find("sem-avisos"), reason);
  }

  theme.value = local.get("theme") ?? "auto";
  presence.checked = local.get("presence") !== "no";
  notifications.checked = alerts.isEnabled("notices") && alerts.isSupported;
  notifications.disabled = !alerts.isSupported;
  sound.checked = alerts.isEnabled("sound");
  if (!alerts.isSupported)
    setText(find("sem-avisos"), strings.notificationsUnsupported);
  on(theme, "change", () => local.set("theme", theme.value));
  on(presence, "change", () =>
    local.set("presence", presence.checked ? "yes" : "no"),
  );
  on(notifications, "change", () => setAlert("notices", notifications));
  on(sound, "change", () => setAlert("sound", sound));
  for (const each of document.querySelectorAll(".menu")) {
    on(
      each,
      "click",
      ({ target }) => target.matches("button") && each.hidePopover(),
    );
  }

  const person = find("gente");
  const room = find("organizar");
  const buttons = commands.table.filter(({ label }) => label);
  const isForPerson = ({ argument }) => argument.includes("Ana");

  // Runs a complete command at once; puts one that needs a text or a duration into the box.
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
      .filter((each) => !isForPerson(each))
      .map((each) => control(each)),
  );

  Papo.menus = {
    refresh: () => (room.hidden = !session.me.moderator),
    openFor({ name, moderator }, source) {
      const inapplicable = moderator ? "promover" : "rebaixar";
      const applicable = buttons.filter(
        (each) => isForPerson(each) && each.all[0] !== inapplicable,
      );
      person.replaceChildren(
        element("h2", "", name),
        ...applicable.map((each) => control(each, name)),
      );
      person.showPopover({ source });
      person.querySelector("button").focus();
    },
  };
}
