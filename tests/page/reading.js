// Scrolls the conversation by so many pixels and then watches, frame by frame until nothing changes any more, whether
// what is being read stays where it is.
const scrolledBy = async (pixels) => {
  const box = log();
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  box.scrollTop += pixels;
  const { top, bottom } = box.getBoundingClientRect();
  const isInSight = (entry) => entry.getBoundingClientRect().bottom > top && entry.getBoundingClientRect().top < bottom;
  const read = entries().filter(isInSight);
  const place = () => read[0].getBoundingClientRect().top;
  const start = place();
  let [quiet, worst, most] = [0, 0, 0];
  const observer = new MutationObserver(() => { quiet = 0; });
  observer.observe(box, { childList: true, subtree: true });
  // The answer to a question may take its time on a machine that has none: a page that is loading is not quiet.
  for (let frames = 0; frames < 2000 && (quiet < 10 || box.matches("[aria-busy=true]")); frames += 1) {
    await frame();
    quiet += 1;
    worst = read[0].isConnected ? Math.max(worst, Math.abs(place() - start)) : Infinity;
    most = Math.max(most, box.querySelectorAll("article").length);
  }
  observer.disconnect();
  const here = Math.round(box.scrollTop);
  const atEnd = Math.abs(box.scrollHeight - box.clientHeight - here) <= 1;
  return { read: read.map(textOf), moved: worst, most, atTop: here === 0, atEnd };
};
