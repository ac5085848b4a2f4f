"use strict";
{
  const {
    strings,
    dom: { find, on },
    storage: { kept },
  } = Papo;
  const DOT = "%3Ccircle cx='25' cy='7' r='7' fill='%23e0302a'/%3E%3C/svg%3E";
  const NOTE_HZ = 880;
  const NOTE_S = 0.2;
  const VOLUME = 0.08;

  const icon = find("icone");
  const plain = icon.href;
  let audio;

  const isOn = (kind) => kept.get(kind) === "1";
  const isPossible = "Notification" in window && window.isSecureContext;

  function wake() {
    if (isOn("sound")) audio ??= new AudioContext();
    audio?.resume();
  }

  function beep() {
    wake();
    const [note, volume] = [
      new OscillatorNode(audio, { frequency: NOTE_HZ }),
      new GainNode(audio, { gain: VOLUME }),
    ];
    note.connect(volume).connect(audio.destination);
    note.start();
    note.stop(audio.currentTime + NOTE_S);
  }

  async function turn(kind, on) {
    kept.set(kind, on ? "1" : "0");
    if (kind === "sound" && on) beep();
    if (kind === "sound" || !on) return "";
    if (isPossible && (await Notification.requestPermission()) === "granted")
      return "";
    kept.set(kind, "0");
    return isPossible ? strings.noticesBlocked : strings.noticesImpossible;
  }

  on(document, "click keydown", wake);

  Papo.alerts = {
    turn,
    isOn,
    isPossible,
    showUnread(count) {
      document.title = strings.title(count);
      const href = count > 0 ? plain.replace("%3C/svg%3E", DOT) : plain;
      if (icon.href !== href) icon.href = href;
    },
    mention(from, text) {
      if (document.hasFocus() && !document.hidden) return;
      if (isOn("sound")) beep();
      if (
        !isOn("notices") ||
        !isPossible ||
        Notification.permission !== "granted"
      )
        return;
      try {
        new Notification(strings.mentionedYou(from), {
          body: text,
          tag: "papo",
        }).onclick = () => window.focus();
      } catch {}
    },
  };
}
