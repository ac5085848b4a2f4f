"use strict";
{
  const {
    strings,
    dom: { find, setText },
  } = Papo;
  const BANNER_DELAY_MS = 2_000;
  const RESTORED_MS = 3_000;
  const TICK_MS = 500;

  const banner = find("aviso");
  let state = {};
  let lostAt = 0;
  let restoredAt = 0;

  function setState(text, name) {
    setText(find("estado"), text);
    find("papo").dataset.state = name;
  }

  function draw() {
    const { name, until, stopped } = state;
    const now = Date.now();
    banner.hidden = !lostAt || now - lostAt < BANNER_DELAY_MS;
    if (name === "online")
      setState(
        now - restoredAt < RESTORED_MS ? strings.restored : strings.stateOnline,
        name,
      );
    if (banner.hidden) return;
    const waits = name === "waiting";
    const next = waits
      ? strings.nextTry(Math.max(1, Math.ceil((until - now) / 1000)))
      : strings.stateConnecting;
    setState(
      waits ? strings.stateOffline : strings.stateConnecting,
      waits ? "offline" : name,
    );
    setText(
      find("aviso-texto"),
      `${stopped ? strings.serverStopped : strings.offline} ${next}`,
    );
  }

  setInterval(draw, TICK_MS);

  Papo.showStatus = (next) => {
    const isTrying = /^(waiting|connecting)$/u.test(next.name);
    if (!banner.hidden) restoredAt = Date.now();
    lostAt = !isTrying ? 0 : state.name === "online" ? Date.now() : lostAt;
    state = { ...next, stopped: isTrying && (next.stopped || state.stopped) };
    draw();
  };
}
