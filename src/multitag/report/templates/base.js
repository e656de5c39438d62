"use strict";
// What all parts of the page share. Text reaches the page through textContent alone.
const multitag = {
  data: JSON.parse(document.getElementById("data").textContent),
  whole: new Intl.NumberFormat("en-GB"),
  order: new Intl.Collator("en", { numeric: true, sensitivity: "base" }),

  element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  },

  number(value, digits = 3) {
    if (value === null || value === undefined) return "";
    if (digits === 0) return multitag.whole.format(value);
    return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  },

  share(value, digits = 1) {
    return value === null || value === undefined ? "" : (value * 100).toFixed(digits) + " %";
  },

  // Calls `start` once, when the element is first seen, or before printing.
  waiting: new Map(),
  whenSeen(element, start) {
    multitag.waiting.set(element, start);
    multitag.seen.observe(element);
  },
  begin(element) {
    const start = multitag.waiting.get(element);
    if (!start) return;
    multitag.waiting.delete(element);
    multitag.seen.unobserve(element);
    start();
  },
};
multitag.seen = new IntersectionObserver(
  (entries) => entries.forEach((entry) => entry.isIntersecting && multitag.begin(entry.target)),
  { rootMargin: "400px" },
);
window.addEventListener("beforeprint", () => {
  for (const element of [...multitag.waiting.keys()]) if (element.offsetParent !== null) multitag.begin(element);
});
