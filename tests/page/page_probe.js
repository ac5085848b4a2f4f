// How the tests look at the page: by what a person sees, not by its structure.

// The centre of an element in the window; null while it is missing, out of sight or covered.
const clickPoint = (element) => {
  if (!element) return null;
  element.scrollIntoView({ block: "nearest" });
  const { left, top, width, height } = element.getBoundingClientRect();
  const x = left + width / 2;
  const y = top + height / 2;
  const hit = document.elementFromPoint(x, y);
  return width > 0 && (element.contains(hit) || hit?.contains(element))
    ? [x, y]
    : null;
};

const isVisible = (element) =>
  element.checkVisibility({ visibilityProperty: true, opacityProperty: true });

const ROLES = {
  button: "button, [role=button], summary, input[type=submit]",
  link: "a[href]",
  textbox: "input:not([type]), input[type=text], input[type=search], textarea",
  checkbox: "input[type=checkbox], [role=switch]",
  radio: "input[type=radio], [role=radio]",
};

// The accessible name of an element.
const accessibleName = (element) => {
  const labels = element.labels
    ? Array.from(element.labels, (label) => label.innerText).join(" ")
    : "";
  return (
    element.getAttribute("aria-label") ||
    labels ||
    element.innerText ||
    element.title
  )
    .replace(/\s+/g, " ")
    .trim();
};

const byRole = (role, name) =>
  Array.from(document.querySelectorAll(ROLES[role])).find(
    (element) => isVisible(element) && accessibleName(element) === name,
  );

const painted = () =>
  new Promise((resolve) => {
    // A tab behind another one is not painted, so the wait is bounded.
    setTimeout(() => resolve(true), 1000);
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(true)));
  });

const log = () => document.querySelector("[role=log]");

// The messages shown, oldest first.
const entries = () =>
  Array.from(log().querySelectorAll("article")).filter(isVisible);

const textOf = (entry) => entry.querySelector(".text").innerText;

const texts = () => entries().map(textOf);

const countOf = (text) => texts().filter((other) => other === text).length;

// The author of a message, named once per group and so perhaps further up.
const authorOf = (entry) => {
  for (let at = entry; at; at = at.previousElementSibling) {
    const author = at.querySelector(".author");
    if (at.matches("article") && author && isVisible(author))
      return author.innerText;
  }
  return null;
};

const isUnsent = (entry) => entry.matches(".unconfirmed, .refused");

const people = () =>
  Array.from(document.querySelectorAll("#pessoas li"), (person) =>
    person.innerText.trim(),
  );
