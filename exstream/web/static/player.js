// Television in the page: HLS where the browser plays it by itself, MP4 elsewhere. The address says what is watched, so
// that links and the Back button work.
"use strict";

const player = document.getElementById("player");
const picture = player.querySelector("video");
const part = (name) => player.querySelector(`.${name}`);
const buttons = (name) => player.querySelectorAll(`[data-do="${name}"]`);
const HLS = "application/vnd.apple.mpegurl";
const FIRST_FRAME_MS = { HLS: 8000, MP4: 12000 };
const STALLED_MS = 8000;
const RENEW_MS = 30000;
const WATCH = "#watch/";

let watched = null; // the channel as the API describes it
let channels = [];
let mode = null;
let started = 0;
let firstFrame = 0;
let failures = 0;
let patience = 0;
let address = ""; // of what the video element is given
let told = null; // the programme that the player names
let asking = false;
const shown = new Shown(picture);
let idle = 0;

const ask = async (path) => {
  const answer = await fetch(`${root}${path}`);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
};

function say(words) {
  part("message").textContent = words;
  part("message").hidden = !words;
}

function soundChanged() {
  const [button] = buttons("mute");
  button.textContent = picture.muted ? "Sound on" : "Sound off";
  button.classList.toggle("main", picture.muted);
}

// ---- the stream

function drop() {
  clearTimeout(patience);
  address = "";
  shown.begin(null, "");
  tellNothing();
  picture.removeAttribute("src");
  picture.load(); // ends the transfer: a viewer that has closed the player is none
}

async function hlsAddress() {
  // The playlist that the master names carries a token: whoever reads it again, for the figures, is the same viewer.
  const master = new URL(watched.hls_url, location.href).pathname;
  const answer = await fetch(master);
  if (!answer.ok) throw new Error(String(answer.status));
  return new URL((await answer.text()).trim().split("\n").at(-1), new URL(master, location.href)).href;
}

function mp4Address() {
  // The name that this viewer gives itself: by it the server tells which instants its movie shows.
  const name = [...crypto.getRandomValues(new Uint8Array(9))].map((each) => each.toString(16).padStart(2, "0")).join("");
  return new URL(`${new URL(watched.mp4_url).pathname}?viewer=${name}`, location.href).href;
}

async function start(wanted) {
  drop();
  const channel = watched;
  mode = wanted;
  started = performance.now();
  firstFrame = 0;
  say("Tuning…");
  patience = setTimeout(() => failed("no picture came"), FIRST_FRAME_MS[mode]);
  try {
    const found = mode === "HLS" ? await hlsAddress() : mp4Address();
    if (watched !== channel || mode !== wanted) return;
    address = found;
    shown.begin(mode, address);
    picture.src = address;
    await picture.play();
  } catch (fault) {
    if (watched === channel && mode === wanted && fault.name !== "AbortError") failed(fault.message);
  }
}

function moved() {
  // A picture that stands still is none yet: browsers may show the first one and then get no further.
  if (!watched || firstFrame || !mode || !picture.currentTime || picture.currentSrc !== address) return;
  clearTimeout(patience);
  firstFrame = performance.now();
  setTimeout(() => { if (firstFrame && performance.now() - firstFrame > STALLED_MS) failures = 0; }, STALLED_MS + 100);
  say("");
  look();
}

async function failed(why) {
  if (!watched) return;
  const channel = watched;
  const tried = mode;
  mode = null;
  drop();
  if (tried === "HLS" && !firstFrame) { start("MP4"); return; }
  failures += 1;
  const words = await reason(channel);
  if (watched !== channel || mode) return;
  const wait = Math.min(2 ** failures, 15);
  say(words.final ? words.text : `${words.text} Trying again in ${wait} s.`);
  console.info("player", tried, why);
  if (!words.final) patience = setTimeout(() => watched === channel && start(preferred()), wait * 1000);
}

async function reason(channel) {
  if (!picture.canPlayType('video/mp4; codecs="avc1.64001f,mp4a.40.2"')) {
    return { text: "This browser cannot play H.264 video and AAC sound. Open the channel in VLC or another player.", final: true };
  }
  try {
    const answer = await fetch(new URL(channel.mp4_url, location.href).pathname, { method: "HEAD" });
    if (answer.status === 404) return { text: `${channel.name} is no longer there.`, final: true };
  } catch {
    return { text: "The server does not answer.", final: false };
  }
  return { text: "The channel gives no picture.", final: false };
}

// A browser that stumbles over one form twice is given the other.
const preferred = () => (picture.canPlayType(HLS) && failures % 4 < 2 ? "HLS" : "MP4");

// ---- what is on

const named = (programme) => [programme.title, programme.subtitle].filter(Boolean).join(": ");

async function tell() {
  const channel = watched;
  const at = shown.at();
  if (at === null || asking) return;
  if (told?.next && at >= told.until && part("what").textContent !== named(told.next)) {
    part("what").textContent = named(told.next); // at once; what follows it is asked for now
    part("following").textContent = "";
  }
  const said = told && told.until > at && told.from <= at && performance.now() - told.asked < RENEW_MS;
  if (said) return;
  asking = true;
  try {
    const path = `/api/v1/channels/${encodeURIComponent(channel.id)}/now?at=${new Date(at).toISOString()}`;
    const { now, next } = await ask(path);
    if (watched !== channel || shown.at() === null) return;
    told = { from: now ? Date.parse(now.starts) : at, until: now ? Date.parse(now.ends) : at + 1000, asked: performance.now(), next };
    part("what").textContent = now ? named(now) : "";
    part("following").textContent = next ? `${timeOf(next.starts, next.ends)} ${named(next)}` : "";
  } catch {
    tellNothing();
  } finally {
    setTimeout(() => { asking = false; }, 200);
  }
}

function drawStats() {
  const stats = part("stats");
  if (!stats.hidden && watched) drawFigures(stats, picture, { mode, started, firstFrame, at: shown.at() });
}

function tellNothing() {
  told = null;
  part("what").textContent = part("following").textContent = "";
}

function look() {
  if (!watched || !mode) return;
  shown.look(ask).catch(() => {});
  tell();
  drawStats();
}

// ---- opening, closing, keys

async function watch(id) {
  if (!channels.length) channels = await ask("/api/v1/channels");
  const channel = channels.find((each) => each.id === id || each.number === id);
  open(channel);
  if (!channel) {
    say(`There is no channel ${id}.`);
    return;
  }
  watched = channel;
  failures = 0;
  start(preferred());
}

function open(channel) {
  watched = mode = null;
  drop();
  document.getElementById("player-title").textContent = channel ? `${channel.number} ${channel.name}` : "";
  player.dataset.channel = channel?.id ?? "";
  for (const other of document.querySelectorAll("dialog[open]")) if (other !== player) other.close();
  if (!player.open) player.showModal();
  firstFrame = 0;
  soundChanged();
  stir();
}

function closed() {
  watched = null;
  mode = null;
  drop();
  say("");
  if (document.fullscreenElement) document.exitFullscreen();
  if (location.hash.startsWith(WATCH)) history.replaceState(null, "", location.pathname + location.search);
}

function plain(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function followAddress() {
  const id = location.hash.startsWith(WATCH) ? plain(location.hash.slice(WATCH.length)) : "";
  if (id && id !== watched?.id) watch(id).catch(() => { open(null); say("The server does not answer."); });
  if (!id && player.open) player.close();
}

function step(by) {
  const place = channels.findIndex((each) => each.id === watched.id);
  const channel = channels.at((place + by) % channels.length);
  history.replaceState(null, "", WATCH + encodeURIComponent(channel.id));
  followAddress();
}

function full() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (player.requestFullscreen) player.requestFullscreen().catch(() => {});
  else picture.webkitEnterFullscreen?.();
}

function stir() {
  player.dataset.idle = "false";
  clearTimeout(idle);
  idle = setTimeout(() => { if (firstFrame) player.dataset.idle = "true"; }, 3000);
}

const doings = {
  close: () => player.close(),
  mute: () => { picture.muted = !picture.muted; },
  previous: () => step(-1),
  next: () => step(1),
  stats: () => {
    const stats = part("stats");
    stats.hidden = !stats.hidden;
    buttons("stats")[0].setAttribute("aria-pressed", String(!stats.hidden));
    drawStats();
  },
  about: () => { location.href = `${root}/channel/${encodeURIComponent(watched.id)}`; },
  full,
};
const keys = { m: "mute", ArrowUp: "previous", PageUp: "previous", ArrowDown: "next", PageDown: "next", i: "stats", f: "full" };

player.addEventListener("click", (event) => {
  const doing = event.target.closest("button")?.dataset.do;
  if (doing && (watched || doing === "close")) doings[doing]();
  else if (event.target === picture && player.dataset.idle === "true") stir();
});
player.addEventListener("keydown", (event) => {
  stir();
  const doing = keys[event.key];
  if (!doing || !watched || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  doings[doing]();
});
for (const kind of ["pointermove", "pointerdown", "focusin"]) player.addEventListener(kind, stir);
player.addEventListener("close", closed);
picture.addEventListener("volumechange", soundChanged);
picture.addEventListener("dblclick", full);
picture.addEventListener("timeupdate", moved);
picture.addEventListener("ended", () => failed("the stream ended"));
picture.addEventListener("error", () => { if (picture.error && mode) failed(picture.error.message); });
picture.addEventListener("waiting", () => {
  if (!firstFrame) return;
  clearTimeout(patience);
  patience = setTimeout(() => failed("it stalled"), STALLED_MS);
});
picture.addEventListener("playing", () => { if (firstFrame) clearTimeout(patience); });
document.addEventListener("visibilitychange", () => {
  // A phone that was put away comes back to what is on now.
  if (!document.hidden && watched && firstFrame && picture.paused) start(preferred());
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-watch]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  event.stopPropagation();
  location.hash = WATCH + encodeURIComponent(link.dataset.watch);
}, true);
addEventListener("hashchange", followAddress);
setInterval(look, 250);
followAddress();
