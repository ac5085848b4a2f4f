"use strict";
{
  const {
    strings,
    clock,
    dom: { find, setText },
  } = Papo;
  const BANNER_DELAY_MS = 2_000;
  const RESTORED_MS = 3_000;
  const TICK_MS = 500;

  const banner = find("aviso");
  let state = {};
  let lostAt = null;
  let restoredAt = -Infinity;

  function setState(text, name) {
    setText(find("estado"), text);
    find("papo").dataset.state = name;
  }

  function draw() {
    const { name, until, stopped, reason } = state;
    const now = clock.now();
    banner.hidden = lostAt === null || now - lostAt < BANNER_DELAY_MS;
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
      `${reason ?? (stopped ? strings.serverStopped : strings.offline)} ${next}`,
    );
  }

  setInterval(draw, TICK_MS);

  Papo.showStatus = (next) => {
    const isTrying = /^(waiting|connecting)$/u.test(next.name);
    if (!banner.hidden) restoredAt = clock.now();
    if (!isTrying) lostAt = null;
    else if (state.name === "online") lostAt = clock.now();
    state = {
      ...next,
      stopped: isTrying && (next.stopped || state.stopped),
      reason: next.name === "connecting" ? state.reason : next.reason,
    };
    draw();
  };
}
