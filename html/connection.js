"use strict";
{
  const { encode, decode, PROTOCOL, CLOSE_CODES } = Papo.protocol;

  const CONNECT_MS = 10_000;
  const IDLE_MS = 20_000;
  const PONG_MS = 10_000;
  const LIVENESS_CHECK_MS = 1_000;
  const RETRY_MS = { base: 500, max: 20_000, min: 100 };
  const STABLE_MS = 5_000;
  const FINAL_BYES = ["kicked", "banned", "protocol"];

  const hooks = {};
  let socket = null;
  let url = "";
  let state = { name: "idle" };
  let everOnline = false;
  let attempts = 0;
  let onlineSince = 0;
  let receivedAt = 0;
  let pingedAt = 0;
  let bye;
  let timer;
  let livenessTimer;

  function setState(next) {
    state = next;
    hooks.onState(next);
  }

  function send(type, fields) {
    if (socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(encode(type, fields));
    return true;
  }

  function open(address) {
    url = address;
    everOnline = false;
    attempts = 0;
    dial();
  }

  function dial() {
    closeSocket();
    bye = null;
    setState({ name: "connecting" });
    timer = setTimeout(onConnectionLost, CONNECT_MS);
    socket = new WebSocket(url);
    socket.onopen = () => send("enter", hooks.enterFields());
    socket.onmessage = ({ data }) => receive(decode(data));
    socket.onclose = ({ code }) =>
      code === CLOSE_CODES.policy
        ? end({ code: "policy", text: bye?.text ?? Papo.strings.disconnected })
        : onConnectionLost();
  }

  function receive(message) {
    receivedAt = Date.now();
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
    everOnline = true;
    onlineSince = Date.now();
    pingedAt = 0;
    livenessTimer = setInterval(checkLiveness, LIVENESS_CHECK_MS);
    hooks.onMessage(message);
    setState({ name: "online" });
  }

  function checkLiveness() {
    const now = Date.now();
    const isPinged = pingedAt > receivedAt;
    if (isPinged && now - pingedAt >= PONG_MS) onConnectionLost();
    else if (!isPinged && now - receivedAt >= IDLE_MS) {
      pingedAt = now;
      send("ping");
    }
  }

  function wake() {
    if (state.name === "waiting") dial();
    else if (state.name === "online") checkLiveness();
  }

  function onConnectionLost() {
    if (onlineSince && Date.now() - onlineSince >= STABLE_MS) attempts = 0;
    closeSocket();
    if (!everOnline) return end(bye ?? { code: "unreachable" });
    const bound =
      bye?.retry_after_ms ??
      Math.min(RETRY_MS.base * 2 ** attempts, RETRY_MS.max);
    const delay = Math.max(RETRY_MS.min, Math.random() * bound);
    attempts += 1;
    timer = setTimeout(dial, delay);
    setState({
      name: "waiting",
      until: Date.now() + delay,
      stopped: bye?.code === "shutdown",
    });
  }

  function end({ code, text, room }) {
    closeSocket();
    setState({ name: "ended", code, text, room });
  }

  function closeSocket(closeCode) {
    clearTimeout(timer);
    clearInterval(livenessTimer);
    onlineSince = 0;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    socket?.close(closeCode);
    socket = null;
  }

  function leave() {
    closeSocket(CLOSE_CODES.leave);
    setState({ name: "idle" });
  }

  Papo.dom.on(window, "online pageshow", wake);
  Papo.dom.on(document, "visibilitychange", () => document.hidden || wake());

  Papo.connection = { hooks, open, send, leave, wake };
}
