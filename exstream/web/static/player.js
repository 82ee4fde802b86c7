// Television in the page: HLS where the browser plays it by itself, MP4 elsewhere. The address says what is watched, so
// that links and the Back button work.
"use strict";

const player = document.getElementById("player");
const picture = player.querySelector("video");
const part = (name) => player.querySelector(`.${name}`);
const buttons = (name) => player.querySelectorAll(`[data-do="${name}"]`);
const HLS = "application/vnd.apple.mpegurl";
const FIRST_FRAME_MS = { HLS: 4000, MP4: 12000 };
const STALLED_MS = 8000;
const WATCH = "#watch/";

let watched = null; // the channel as the API describes it
let channels = [];
let mode = null;
let started = 0;
let firstFrame = 0;
let failures = 0;
let patience = 0;
let edge = null; // the end of the media playlist: an instant in ms
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
  const { muted } = picture;
  const [floating, inBar] = buttons("mute");
  inBar.textContent = muted ? "Muted" : "Sound";
  inBar.setAttribute("aria-pressed", String(muted));
  floating.hidden = !muted || !firstFrame;
}

// ---- the stream

function drop() {
  clearTimeout(patience);
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

async function start(wanted) {
  drop();
  const channel = watched;
  mode = wanted;
  started = performance.now();
  firstFrame = 0;
  edge = null;
  say("Tuning…");
  patience = setTimeout(() => failed("no picture came"), FIRST_FRAME_MS[mode]);
  try {
    const address = mode === "HLS" ? await hlsAddress() : new URL(channel.mp4_url, location.href).pathname;
    if (watched !== channel || mode !== wanted) return;
    picture.src = address;
    await picture.play();
  } catch (fault) {
    if (watched === channel && mode === wanted && fault.name !== "AbortError") failed(fault.message);
  }
}

function shown() {
  // A picture that stands still is none yet: browsers may show the first one and then get no further.
  if (!watched || firstFrame || !mode || !picture.currentTime) return;
  clearTimeout(patience);
  firstFrame = performance.now();
  setTimeout(() => { if (firstFrame && performance.now() - firstFrame > STALLED_MS) failures = 0; }, STALLED_MS + 100);
  say("");
  soundChanged();
  if (!part("stats").hidden) measureEdge().catch(() => {});
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

async function tell() {
  const channel = watched;
  try {
    const { now, next } = await ask(`/api/v1/channels/${encodeURIComponent(channel.id)}/now`);
    if (watched !== channel) return;
    const named = (programme) => [programme.title, programme.subtitle].filter(Boolean).join(": ");
    part("what").textContent = now ? named(now) : "";
    part("following").textContent = next ? `${hours.format(new Date(next.starts))} ${named(next)}` : "";
  } catch {
    part("following").textContent = "";
  }
}

// ---- the figures

async function measureEdge() {
  if (mode !== "HLS" || !picture.src) return;
  const text = await (await fetch(picture.src)).text();
  const instants = text.match(/^#EXT-X-PROGRAM-DATE-TIME:.*$/gm);
  const lengths = text.match(/^#EXTINF:[\d.]+/gm);
  if (instants) edge = Date.parse(instants.at(-1).slice(25)) + 1000 * Number(lengths.at(-1).slice(8));
}

function latency() {
  const startDate = picture.getStartDate?.().getTime();
  const now = Date.now();
  if (startDate) return [(now - startDate) / 1000 - picture.currentTime, ""];
  const ahead = picture.buffered.length ? picture.buffered.end(picture.buffered.length - 1) - picture.currentTime : 0;
  if (edge) return [(now - edge) / 1000 + ahead, "about "];
  return [(performance.now() - started) / 1000 - picture.currentTime, "about "];
}

function drawStats() {
  const stats = part("stats");
  if (stats.hidden || !watched) return;
  const { buffered, currentTime } = picture;
  const ahead = buffered.length ? buffered.end(buffered.length - 1) - currentTime : 0;
  const quality = picture.getVideoPlaybackQuality?.();
  const [behind, about] = latency();
  const rows = [
    ["Mode", mode || "–"],
    ["Picture", picture.videoWidth ? `${picture.videoWidth}×${picture.videoHeight}` : "–"],
    ["First frame", firstFrame ? `${((firstFrame - started) / 1000).toFixed(2)} s` : "–"],
    ["Time", `${currentTime.toFixed(1)} s`],
    ["Buffered", `${ahead.toFixed(1)} s`],
    ["Dropped", quality ? `${quality.droppedVideoFrames} of ${quality.totalVideoFrames}` : "–"],
    ["Behind live", firstFrame ? `${about}${Math.max(0, behind).toFixed(1)} s` : "–"],
  ];
  stats.replaceChildren(...rows.flatMap(([name, value]) => {
    const [term, definition] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    definition.textContent = value;
    definition.dataset.figure = name;
    return [term, definition];
  }));
}

// ---- opening, closing, keys

async function watch(id) {
  if (!channels.length) channels = await ask("/api/v1/channels");
  const channel = channels.find((each) => each.id === id);
  if (!channel) return;
  watched = channel;
  failures = 0;
  document.getElementById("player-title").textContent = `${channel.number} ${channel.name}`;
  part("what").textContent = part("following").textContent = "";
  for (const open of document.querySelectorAll("dialog[open]")) if (open !== player) open.close();
  if (!player.open) player.showModal();
  stir();
  tell();
  start(preferred());
}

function closed() {
  watched = null;
  mode = null;
  drop();
  say("");
  if (document.fullscreenElement) document.exitFullscreen();
  if (location.hash.startsWith(WATCH)) history.replaceState(null, "", location.pathname + location.search);
}

function followAddress() {
  const id = location.hash.startsWith(WATCH) ? decodeURIComponent(location.hash.slice(WATCH.length)) : "";
  if (id && id !== watched?.id) watch(id).catch(() => say("The server does not answer."));
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
    measureEdge().catch(() => {});
    drawStats();
  },
  about: () => { location.href = `${root}/channel/${encodeURIComponent(watched.id)}`; },
  full,
};
const keys = { m: "mute", ArrowUp: "previous", PageUp: "previous", ArrowDown: "next", PageDown: "next", i: "stats", f: "full" };

player.addEventListener("click", (event) => {
  const doing = event.target.closest("button")?.dataset.do;
  if (doing) doings[doing]();
  else if (event.target === picture && player.dataset.idle === "true") stir();
});
player.addEventListener("keydown", (event) => {
  stir();
  const doing = keys[event.key];
  if (!doing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  doings[doing]();
});
for (const kind of ["pointermove", "pointerdown", "focusin"]) player.addEventListener(kind, stir);
player.addEventListener("close", closed);
picture.addEventListener("volumechange", soundChanged);
picture.addEventListener("dblclick", full);
picture.addEventListener("timeupdate", shown);
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
setInterval(() => { if (watched) tell(); }, 30000);
setInterval(() => { if (watched && !part("stats").hidden) measureEdge().catch(() => {}); }, 5000);
setInterval(drawStats, 500);
followAddress();
