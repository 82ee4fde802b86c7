// What the guide can do beyond links: local times, the now-line, arrow keys, dialogs, copying. Everything works without it.
"use strict";

const root = document.body.dataset.root;
let grid = document.getElementById("grid");
const hours = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit" });
const SHORT_MS = 180000; // of what is shorter, times are told to the second
const moments = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit", second: "2-digit" });
const days = new Intl.DateTimeFormat([], { weekday: "short", day: "numeric", month: "short" });

const timeOf = (starts, ends) => (new Date(ends) - new Date(starts) < SHORT_MS ? moments : hours).format(new Date(starts));

function localise(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    time.textContent = ("exact" in time.dataset ? moments : hours).format(new Date(time.dateTime));
  }
  for (const day of within.querySelectorAll("[data-day]")) day.textContent = days.format(new Date(day.dataset.day));
}

// Server time goes on from what the page says, so that a wrong clock in the browser does not move the line.
let opened = performance.getEntriesByType("navigation")[0].responseStart;
const serverNow = () => Number((grid ?? document.body).dataset.now) + performance.now() - opened;

function drawNow() {
  const { start, end } = grid.dataset;
  const line = grid.querySelector(".now");
  const part = (serverNow() - start) / (end - start);
  line.hidden = part < 0 || part > 1;
  const table = grid.querySelector("table");
  const names = table.querySelector("thead th").offsetWidth;
  line.style.left = `${names + part * (table.offsetWidth - names)}px`;
  line.style.height = `${table.offsetHeight}px`;
}

function drawProgress() {
  for (const bar of grid.querySelectorAll("td.a progress")) {
    bar.value = serverNow() - Number(bar.closest("a").pathname.split("/").at(-1));
  }
}

// When something on the page has ended, the grid is fetched again and takes the place of the old one.
async function renewGrid() {
  const following = !new URLSearchParams(location.search).has("at");
  if (document.hidden || !following || serverNow() < Number(grid.dataset.changes)) return;
  const answer = await fetch(location.href);
  const arrived = performance.now();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("grid");
  if (!answer.ok || !fresh) return;
  const { scrollLeft, scrollTop } = grid;
  const focused = grid.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  grid.replaceWith(fresh);
  grid = fresh;
  opened = arrived;
  grid.scrollTo(scrollLeft, scrollTop);
  startGrid();
  if (focused) (grid.querySelector(`tbody a[href="${CSS.escape(focused)}"]`) || grid.querySelector("td.a a"))?.focus();
}

async function renewStatus() {
  if (document.hidden) return;
  const old = document.getElementById("status");
  if (old.querySelector("details[open]")) return;
  try {
    const answer = await fetch(`${root}/status`);
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("status");
      if (fresh && fresh.innerHTML !== old.innerHTML) old.replaceWith(fresh);
    }
  } catch {
    old.textContent = "The server does not answer; trying again.";
  }
}

// Arrow keys: one link of the grid is in the tab order, the arrows move it.
function rove() {
  const links = () => [...grid.querySelectorAll("tbody a")].filter((link) => link.offsetParent);
  let chosen = grid.querySelector("td.a a") || links()[0];
  for (const link of grid.querySelectorAll("tbody a")) link.tabIndex = -1;
  if (chosen) chosen.tabIndex = 0;

  const choose = (link) => {
    if (!link) return;
    chosen.tabIndex = -1;
    chosen = link;
    chosen.tabIndex = 0;
    chosen.focus({ preventScroll: true });
    chosen.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const beside = (link, step) => {
    const row = [...link.closest("tr").querySelectorAll("a")].filter((other) => other.offsetParent);
    return row[row.indexOf(link) + step];
  };
  const above = (link, step) => {
    const row = link.closest("tr")[step < 0 ? "previousElementSibling" : "nextElementSibling"];
    if (!row) return null;
    const here = link.getBoundingClientRect();
    const middle = (Math.max(here.left, 0) + Math.min(here.right, innerWidth)) / 2;
    const off = (other) => {
      const box = other.getBoundingClientRect();
      return middle < box.left ? box.left - middle : Math.max(0, middle - box.right);
    };
    const cells = [...row.querySelectorAll(link.closest("th") ? "th a" : "td a")].filter((other) => other.offsetParent);
    return cells.sort((one, other) => off(one) - off(other))[0];
  };
  const keys = {
    ArrowLeft: (link) => beside(link, -1),
    ArrowRight: (link) => beside(link, 1),
    ArrowUp: (link) => above(link, -1),
    ArrowDown: (link) => above(link, 1),
    Home: (link) => link.closest("tr").querySelector("a"),
    End: (link) => [...link.closest("tr").querySelectorAll("a")].at(-1),
  };
  grid.addEventListener("keydown", (event) => {
    const link = event.target.closest("tbody a");
    if (!link || !keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    choose(keys[event.key](link));
  });
  grid.addEventListener("focusin", (event) => {
    const link = event.target.closest("tbody a");
    if (link && link !== chosen) {
      chosen.tabIndex = -1;
      chosen = link;
      chosen.tabIndex = 0;
    }
  });
}

async function openSheet(event) {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const path = new URL(link.href).pathname.slice(root.length);
  if (!path.startsWith("/programme/") && !path.startsWith("/channel/")) return;
  event.preventDefault();
  try {
    const answer = await fetch(link.href);
    const article = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("article");
    localise(article);
    const close = document.createElement("form");
    close.method = "dialog";
    close.innerHTML = '<button class="button">Close</button>';
    const dialog = document.getElementById("programme");
    dialog.replaceChildren(article, close);
    article.querySelector(".main").autofocus = true;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  } catch {
    location.href = link.href;
  }
}

async function copy(button) {
  const address = button.parentElement.querySelector("code");
  getSelection().selectAllChildren(address);
  try {
    await navigator.clipboard.writeText(address.textContent);
  } catch {
    document.execCommand("copy"); // pages without TLS have no clipboard object
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button && "copy" in button.dataset) copy(button);
  if (button && button.dataset.open) document.getElementById(button.dataset.open).showModal();
  if (event.target.tagName === "DIALOG") event.target.close();
});
for (const button of document.querySelectorAll("[data-open]")) button.hidden = false;

function startGrid() {
  localise(grid);
  rove();
  drawNow();
  drawProgress();
  grid.addEventListener("click", openSheet);
}

localise(document);
if (grid) {
  startGrid();
  addEventListener("resize", drawNow);
  setInterval(() => { drawNow(); drawProgress(); }, 2000);
  setInterval(() => renewGrid().catch(() => {}), 10000);
  setInterval(renewStatus, 10000);
  document.getElementById("programme").addEventListener("click", openSheet);
}
