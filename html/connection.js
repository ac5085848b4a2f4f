"use strict";
{
  const { clock } = Papo;
  const { encode, decode, boundedWait, PROTOCOL, CLOSE_CODES } = Papo.protocol;

  const CONNECT_MS = 10_000;
  const IDLE_MS = 20_000;
  const PONG_MS = 10_000;
  const LIVENESS_CHECK_MS = 1_000;
  const RETRY_MS = { base: 500, max: 20_000, min: 100 };
  const ENTRY_RETRY_MS = { base: 1_000, max: 10_000 };
  const STABLE_MS = 5_000;
  const FINAL_BYES = ["kicked", "banned", "protocol"];
  const TEMPORARY_REFUSALS = ["history_unavailable", "too_fast"];

  const hooks = {};
  let socket = null;
  let url = "";
  let state = { name: "idle" };
  let everOnline = false;
  let attempts = 0;
  let entryRetries = 0;
  let onlineSince = null;
  let heardAt = clock.stamp();
  let pingedAt = null;
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
    entryRetries = 0;
    dial();
  }

  function dial() {
    closeSocket();
    bye = null;
    setState({ name: "connecting" });
    timer = setTimeout(onConnectionLost, CONNECT_MS);
    socket = new WebSocket(url);
    socket.onopen = enter;
    socket.onmessage = ({ data }) => receive(decode(data));
    socket.onclose = ({ code }) =>
      code === CLOSE_CODES.policy
        ? end({ code: "policy", text: bye?.text ?? Papo.strings.disconnected })
        : onConnectionLost();
  }

  const enter = () => send("enter", hooks.enterFields());

  function receive(message) {
    heardAt = clock.stamp();
    pingedAt = null;
    if (message === null) return;
    if (message.type === "bye") bye = message;
    if (FINAL_BYES.includes(bye?.code)) end(message);
    else if (state.name === "connecting") receiveEntering(message);
    else hooks.onMessage(message);
  }

  // `enter` is answered by `welcome` and `joined`, or by one error; only with `joined` is the person in.
  function receiveEntering(message) {
    const { type, id, protocol } = message;
    if (type === "error" && id === undefined) return onEntryRefused(message);
    if (type === "welcome" && protocol !== PROTOCOL)
      return end({ code: "version", text: Papo.strings.otherVersion });
    if (type === "joined") onEntered();
    hooks.onMessage(message);
  }

  function onEntered() {
    clearTimeout(timer);
    everOnline = true;
    entryRetries = 0;
    onlineSince = clock.now();
    livenessTimer = setInterval(checkLiveness, LIVENESS_CHECK_MS);
    setState({ name: "online" });
  }

  function onEntryRefused(refusal) {
    const { code, text, retry_after_ms: wait } = refusal;
    if (everOnline && code === "moderator_key_wrong" && hooks.onKeyExpired())
      return enter();
    if (!Papo.connection.isTemporary(code)) return end(refusal);
    const backoff = Math.min(
      ENTRY_RETRY_MS.base * 2 ** entryRetries,
      ENTRY_RETRY_MS.max,
    );
    entryRetries += 1;
    closeSocket();
    dialIn(Math.max(backoff, wait ? boundedWait(wait) : 0), { reason: text });
  }

  function dialIn(delay, fields) {
    timer = setTimeout(dial, delay);
    setState({ name: "waiting", until: clock.now() + delay, ...fields });
  }

  // A ping sent before the machine slept is given its full time afterwards.
  function checkLiveness() {
    if (pingedAt !== null) {
      if (clock.now() - pingedAt >= PONG_MS) onConnectionLost();
    } else if (clock.since(heardAt) >= IDLE_MS) {
      pingedAt = clock.now();
      send("ping");
    }
  }

  function wake() {
    if (state.name === "waiting") dial();
    else if (state.name === "online") checkLiveness();
  }

  function onConnectionLost() {
    if (onlineSince !== null && clock.now() - onlineSince >= STABLE_MS)
      attempts = 0;
    const answered = socket?.readyState === WebSocket.OPEN;
    closeSocket();
    if (!everOnline)
      return end(bye ?? { code: answered ? "silent" : "unreachable" });
    const bound = bye?.retry_after_ms
      ? boundedWait(bye.retry_after_ms)
      : Math.min(RETRY_MS.base * 2 ** attempts, RETRY_MS.max);
    attempts += 1;
    dialIn(Math.max(RETRY_MS.min, Math.random() * bound), {
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
    onlineSince = null;
    pingedAt = null;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    socket?.close(closeCode);
    socket = null;
  }

  function leave() {
    closeSocket(CLOSE_CODES.leave);
    setState({ name: "idle" });
  }

  // Ends the tries of a first entry, for other values.
  function cancel() {
    if (state.name !== "waiting" || everOnline) return;
    closeSocket();
    state = { name: "idle" };
  }

  // A wait that the server asked for is not cut short.
  const onWake = () => document.hidden || state.reason || wake();

  Papo.dom.on(window, "online pageshow", onWake);
  Papo.dom.on(document, "visibilitychange", onWake);

  Papo.connection = {
    hooks,
    open,
    send,
    leave,
    cancel,
    wake,
    isOnline: () => state.name === "online",
    isTemporary: (code) => TEMPORARY_REFUSALS.includes(code),
  };
}
