// How the stories look at the page: as somebody sees it, not as it is made.

// The middle of an element, in the window; null while it is not there, out of sight, or behind something.
const placeOf = (element) => {
  if (!element) return null;
  element.scrollIntoView({ block: "nearest" });
  const { left, top, width, height } = element.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  const hit = document.elementFromPoint(x, y);
  return width > 0 && (element.contains(hit) || hit?.contains(element)) ? [x, y] : null;
};

const isVisible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });

const ROLES = {
  button: "button, [role=button], summary, input[type=submit]",
  link: "a[href]",
  textbox: "input:not([type]), input[type=text], input[type=search], textarea",
  checkbox: "input[type=checkbox], [role=switch]",
  radio: "input[type=radio], [role=radio]",
};

// What a screen reader would say for it.
const nameOf = (element) => {
  const labels = element.labels ? Array.from(element.labels, (label) => label.innerText).join(" ") : "";
  return (element.getAttribute("aria-label") || labels || element.innerText || element.title).replace(/\s+/g, " ").trim();
};

const named = (role, name) =>
  Array.from(document.querySelectorAll(ROLES[role])).find((element) => isVisible(element) && nameOf(element) === name);

const painted = () => new Promise((resolve) => {
  // A tab behind another one is not painted, and then there is nothing to wait for.
  setTimeout(() => resolve(true), 1000);
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(true)));
});

const log = () => document.querySelector("[role=log]");

// The messages that are in the page, oldest first.
const entries = () => Array.from(log().querySelectorAll("article")).filter(isVisible);

const textOf = (entry) => entry.querySelector(".text").innerText;

const texts = () => entries().map(textOf);

const howOften = (text) => texts().filter((other) => other === text).length;

// Whose a message is: named once for a group, so perhaps further up.
const authorOf = (entry) => {
  for (let at = entry; at; at = at.previousElementSibling) {
    const author = at.querySelector(".author");
    if (at.matches("article") && author && isVisible(author)) return author.innerText;
  }
  return null;
};

const isUnsent = (entry) => entry.matches(".unconfirmed, .refused");

const people = () => Array.from(document.querySelectorAll("#pessoas li"), (person) => person.innerText.trim());
