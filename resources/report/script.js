"use strict";
// Everything is legible without this script; it sorts tables, hides trackers and shows one table of clips at a time.
const all = (where, what) => Array.from(where.querySelectorAll(what));

const sortBy = (table, column, head) => {
  const body = table.tBodies[0];
  const down = head.getAttribute("aria-sort") !== "descending" ? head.classList.contains("figure") : false;
  const direction = down ? -1 : 1;
  const key = (row) => {
    const cell = row.cells[column];
    return cell.tagName === "TH" ? cell.textContent : cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };
  const rows = all(body, "tr").map((row) => [key(row), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  });
  body.append(...rows.map(([, row]) => row));
  all(table, "th[aria-sort]").forEach((other) => other.setAttribute("aria-sort", "none"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
};

all(document, "table.sortable").forEach((table) => {
  all(table.tHead, "th").forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => sortBy(table, column, head));
  });
});

all(document, "input[data-tracker]").forEach((box) => {
  const apply = () => all(document, `.s${box.dataset.tracker}`).forEach((one) => one.classList.toggle("hidden", !box.checked));
  box.addEventListener("change", apply);
  apply(); // browsers remember boxes when a page is loaded again
});

all(document, "input[data-hides]").forEach((box) => {
  const apply = () => all(document, `.${box.dataset.hides}`).forEach((one) => one.classList.toggle("hidden", !box.checked));
  box.addEventListener("change", apply);
  apply();
});

all(document, ".chooser").forEach((chooser) => {
  const select = chooser.querySelector("select");
  const apply = () => all(chooser, ":scope > div").forEach((one) => one.classList.toggle("hidden", one.id !== select.value));
  select.addEventListener("change", apply);
  all(chooser, "h3").forEach((title) => title.classList.add("hidden"));
  apply();
});

const open = () => {
  const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", open);
open();
