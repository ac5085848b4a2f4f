"use strict";
{
  // Durations are measured with these, never with `Date`: people, time servers and other systems turn the wall clock.
  const now = () => performance.now();
  const stamp = () => ({ steady: now(), wall: Date.now() });

  // For a time that must include the machine's sleep, in which the steady clock of some systems stands still.
  const since = ({ steady, wall }) =>
    Math.max(now() - steady, Date.now() - wall);

  Papo.clock = { now, stamp, since };
}
