"use strict";
{
  const {
    strings,
    dom: { find, on },
    storage: { local },
  } = Papo;
  const UNREAD_DOT =
    "%3Ccircle cx='25' cy='7' r='7' fill='%23e0302a'/%3E%3C/svg%3E";
  const TONE_HZ = 880;
  const TONE_S = 0.2;
  const VOLUME = 0.08;

  const icon = find("icone");
  const plainIcon = icon.href;
  let audio;

  const isEnabled = (kind) => local.get(kind) === "1";
  const isSupported = "Notification" in window && window.isSecureContext;

  function resumeAudio() {
    if (isEnabled("sound")) audio ??= new AudioContext();
    audio?.resume();
  }

  function beep() {
    resumeAudio();
    const tone = new OscillatorNode(audio, { frequency: TONE_HZ });
    const volume = new GainNode(audio, { gain: VOLUME });
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + TONE_S);
  }

  async function setEnabled(kind, on) {
    local.set(kind, on ? "1" : "0");
    if (kind === "sound" && on) beep();
    if (kind === "sound" || !on) return "";
    if (isSupported && (await Notification.requestPermission()) === "granted")
      return "";
    local.set(kind, "0");
    return isSupported
      ? strings.notificationsBlocked
      : strings.notificationsUnsupported;
  }

  on(document, "click keydown", resumeAudio);

  Papo.alerts = {
    setEnabled,
    isEnabled,
    isSupported,
    showUnread(count) {
      document.title = strings.title(count);
      const href =
        count > 0 ? plainIcon.replace("%3C/svg%3E", UNREAD_DOT) : plainIcon;
      if (icon.href !== href) icon.href = href;
    },
    mention(from, text) {
      if (document.hasFocus() && !document.hidden) return;
      if (isEnabled("sound")) beep();
      if (
        !isEnabled("notices") ||
        !isSupported ||
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
