"use strict";
// The page is readable without this script. It adds: sorting and filtering the groups, opening the
// section that an address names, long texts in place, and values under the pointer of a curve.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

function openTarget() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  if (target && target.tagName === "H4") target.focus();
  if (target) target.scrollIntoView({ block: "start" });
}

function sortBy(header, index) {
  const up = header.getAttribute("aria-sort") === "ascending";
  for (const other of $$("th", header.parentElement)) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", up ? "descending" : "ascending");
  const value = (row) => {
    const cell = row.cells[index];
    if (!("n" in header.dataset)) return cell.textContent;
    return cell.dataset.v === "" ? -Infinity : Number(cell.dataset.v);
  };
  const body = header.closest("table").tBodies[0];
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (up ? -1 : 1);
  body.append(...[...body.rows].sort((a, b) => order(value(a), value(b))));
}

function filterGroups(form) {
  const text = form.text.value.trim().toLowerCase();
  const rows = $$(".list tbody tr");
  let shown = 0;
  for (const row of rows) {
    const link = $("a", row);
    const section = link && document.getElementById(link.hash.slice(1)).closest("details");
    const fits = (!form.phase.value || row.dataset.phase === form.phase.value)
      && (!form.only.value || row.dataset.is.split(" ").includes(form.only.value))
      && (!text || (row.textContent + " " + row.dataset.agents).toLowerCase().includes(text));
    row.hidden = !fits;
    if (section) section.hidden = !fits;
    shown += fits;
  }
  $("output", form).textContent = `${shown} of ${rows.length} groups`;
}

function toggleText(link) {
  const next = link.nextElementSibling;
  const open = next && next.classList.contains("inplace");
  if (open) next.remove();
  else {
    const copy = document.createElement("pre");
    copy.className = "inplace";
    copy.textContent = document.getElementById(link.hash.slice(1)).textContent;
    link.after(copy);
  }
  link.setAttribute("aria-expanded", String(!open));
}

function readCurve(svg) {
  const dots = $$("circle", svg);
  const output = $("output", svg.parentElement);
  let at = dots.length - 1;
  const show = (index) => {
    dots[at].classList.remove("on");
    at = Math.min(dots.length - 1, Math.max(0, index));
    dots[at].classList.add("on");
    output.textContent = $("title", dots[at]).textContent;
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    const distance = (dot) => Math.abs(dot.cx.baseVal.value - x);
    show(dots.reduce((best, dot, i) => (distance(dot) < distance(dots[best]) ? i : best), 0));
  });
  svg.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -dots.length, End: dots.length }[event.key];
    if (move) { show(at + move); event.preventDefault(); }
  });
  svg.addEventListener("focus", () => show(at));
}

$$(".list thead th").forEach((header, index) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = header.textContent;
  button.addEventListener("click", () => sortBy(header, index));
  header.replaceChildren(button);
});
const form = $(".filter");
form.hidden = false;
form.addEventListener("input", () => filterGroups(form));
form.addEventListener("submit", (event) => event.preventDefault());
filterGroups(form);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.t");
  if (link) { event.preventDefault(); toggleText(link); }
});
$$("svg.chart").forEach(readCurve);
addEventListener("hashchange", openTarget);
openTarget();
