"use strict";
{
  const { encode, decode, PROTOCOL, CLOSE_CODES } = Papo.protocol;

  const CONNECT_MS = 10_000;
  const SILENCE_MS = 20_000;
  const PONG_MS = 10_000;
  const PULSE_MS = 1_000;
  const RETRY_MS = { first: 500, most: 20_000, soonest: 100 };
  const STEADY_MS = 5_000;
  const FINAL_BYES = ["kicked", "banned", "full", "protocol"];

  const hooks = {};
  let [socket, url, state, everOnline] = [null, "", { name: "idle" }, false];
  let [tries, onlineSince, heardAt, askedAt] = [0, 0, 0, 0];
  let bye, timer, pulse;

  function change(next) {
    state = next;
    hooks.onState(next);
  }

  function send(type, fields) {
    if (socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(encode(type, fields));
    return true;
  }

  function open(address) {
    [url, everOnline, tries] = [address, false, 0];
    dial();
  }

  function dial() {
    letGo();
    bye = null;
    change({ name: "connecting" });
    timer = setTimeout(lost, CONNECT_MS);
    socket = new WebSocket(url);
    socket.onopen = () => send("enter", hooks.greeting());
    socket.onmessage = ({ data }) => heard(decode(data));
    socket.onclose = ({ code }) =>
      code === CLOSE_CODES.policy
        ? end({ code: "policy", text: bye?.text ?? Papo.strings.cutOff })
        : lost();
  }

  function heard(message) {
    heardAt = Date.now();
    const entering = state.name === "connecting";
    if (message === null) return;
    if (message.type === "bye") bye = message;
    if (
      FINAL_BYES.includes(bye?.code) ||
      (entering && message.type === "error")
    )
      return end(message);
    if (!entering || message.type !== "welcome")
      return hooks.onMessage(message);
    if (message.protocol !== PROTOCOL)
      return end({ code: "version", text: Papo.strings.otherVersion });
    clearTimeout(timer);
    [everOnline, onlineSince, askedAt] = [true, Date.now(), 0];
    pulse = setInterval(checkPulse, PULSE_MS);
    hooks.onMessage(message);
    change({ name: "online" });
  }

  function checkPulse() {
    const now = Date.now();
    const asked = askedAt > heardAt;
    if (asked && now - askedAt >= PONG_MS) lost();
    else if (!asked && now - heardAt >= SILENCE_MS) {
      askedAt = now;
      send("ping");
    }
  }

  function wake() {
    if (state.name === "waiting") dial();
    else if (state.name === "online") checkPulse();
  }

  function lost() {
    if (onlineSince && Date.now() - onlineSince >= STEADY_MS) tries = 0;
    letGo();
    if (!everOnline) return end(bye ?? { code: "unreachable" });
    const latest =
      bye?.retry_after_ms ??
      Math.min(RETRY_MS.first * 2 ** tries, RETRY_MS.most);
    const delay = Math.max(RETRY_MS.soonest, Math.random() * latest);
    tries += 1;
    timer = setTimeout(dial, delay);
    change({
      name: "waiting",
      until: Date.now() + delay,
      stopped: bye?.code === "shutdown",
    });
  }

  function end({ code, text, room }) {
    letGo();
    change({ name: "ended", code, text, room });
  }

  function letGo(closeCode) {
    clearTimeout(timer);
    clearInterval(pulse);
    onlineSince = 0;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    socket?.close(closeCode);
    socket = null;
  }

  function leave() {
    letGo(CLOSE_CODES.leave);
    change({ name: "idle" });
  }

  Papo.dom.on(window, "online pageshow", wake);
  Papo.dom.on(document, "visibilitychange", () => document.hidden || wake());

  Papo.connection = { hooks, open, send, leave, wake };
}
