// Scrolls the conversation, then measures every frame until it is idle how far the text being read shifts.
const scrolledBy = async (pixels) => {
  const box = log();
  const frame = () =>
    new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  box.scrollTop += pixels;
  const { top, bottom } = box.getBoundingClientRect();
  const isInSight = (entry) =>
    entry.getBoundingClientRect().bottom > top &&
    entry.getBoundingClientRect().top < bottom;
  const visible = entries().filter(isInSight);
  const position = () => visible[0].getBoundingClientRect().top;
  const start = position();
  let idleFrames = 0;
  let maxShift = 0;
  let maxEntries = 0;
  const observer = new MutationObserver(() => {
    idleFrames = 0;
  });
  observer.observe(box, { childList: true, subtree: true });
  // A page that is still loading is not idle, however long the answer takes.
  for (
    let frames = 0;
    frames < 2000 && (idleFrames < 10 || box.matches("[aria-busy=true]"));
    frames += 1
  ) {
    await frame();
    idleFrames += 1;
    maxShift = visible[0].isConnected
      ? Math.max(maxShift, Math.abs(position() - start))
      : Infinity;
    maxEntries = Math.max(maxEntries, box.querySelectorAll("article").length);
  }
  observer.disconnect();
  const here = Math.round(box.scrollTop);
  const atEnd = Math.abs(box.scrollHeight - box.clientHeight - here) <= 1;
  return {
    read: visible.map(textOf),
    moved: maxShift,
    most: maxEntries,
    atTop: here === 0,
    atEnd,
  };
};
