// Which instant is in the picture. What the player says of programmes goes by it, and not by the clock on the wall.
"use strict";

class Shown {
  #picture;
  #mode = null;
  #address = "";
  #joins = []; // MP4: where the movie's time joins the channel's, as the server tells it
  #asked = 0;
  #segment = null; // HLS: the number of the segment that the browser has fetched last
  #ends = new Map(); // HLS: when the segments' last pictures are over, by number
  #starts = [];
  #seen = "";
  #placed = "";
  #zero = null; // HLS: the instant at time 0 of the browser's own timeline

  constructor(picture) {
    this.#picture = picture;
    // Browsers that play HLS by themselves say nothing of its dates, but they do tell what they fetch.
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const number = entry.initiatorType === "video" && entry.name.match(/\/(\d+)\.ts(\?|$)/);
        if (number && entry.startTime >= this.#asked && entry.name.startsWith(this.#folder())) this.#segment = Number(number[1]);
      }
    }).observe({ type: "resource" });
  }

  // A new stream begins: `address` is its movie's or its media playlist's.
  begin(mode, address) {
    [this.#mode, this.#address, this.#joins, this.#segment, this.#zero] = [mode, address, [], null, null];
    [this.#ends, this.#starts, this.#seen, this.#placed] = [new Map(), [], "", ""];
    this.#asked = performance.now();
  }

  // The instant of the picture in milliseconds, or null while it is not known.
  at() {
    const time = this.#picture.currentTime;
    if (!this.#mode || !time) return null;
    const start = this.#picture.getStartDate?.().getTime();
    if (start) return start + 1000 * time;
    if (this.#mode === "HLS") return this.#zero === null ? null : this.#zero + 1000 * time;
    const join = this.#joins.findLast((each) => each.at <= time + 0.02) ?? this.#joins[0];
    return join ? Date.parse(join.instant) + 1000 * (time - join.at) : null;
  }

  // Find out more; to be called a few times a second.
  async look(ask) {
    if (this.#mode === "MP4") await this.#askJoins(ask);
    if (this.#mode === "HLS") await this.#place();
  }

  async #askJoins(ask) {
    const now = performance.now();
    if (!this.#picture.currentTime || now - this.#asked < (this.#joins.length ? 5000 : 200)) return;
    this.#asked = now;
    const address = this.#address;
    const { joins } = await ask(`/api/v1/sessions/${new URL(address).searchParams.get("viewer")}`);
    if (this.#address === address) this.#joins = joins;
  }

  // What is buffered ends with the segment that was fetched last, once neither has changed for a moment.
  async #place() {
    const { buffered } = this.#picture;
    if (this.#segment === null || !buffered.length) return;
    const [address, segment, end] = [this.#address, this.#segment, buffered.end(buffered.length - 1)];
    const state = `${segment} ${end}`;
    const quiet = state === this.#seen;
    this.#seen = state;
    if (!quiet || state === this.#placed) return;
    this.#placed = state;
    if (!this.#ends.has(segment)) await this.#readPlaylist();
    if (this.#address !== address || !this.#ends.has(segment)) return;
    const zero = this.#ends.get(segment) - 1000 * end;
    if (this.#zero === null || Math.abs(zero - this.#zero) > 500) this.#zero = this.#snapped(zero);
  }

  // The timeline begins with a segment; sound may end a little before the pictures, and the buffer with it.
  #snapped(zero) {
    const nearest = this.#starts.reduce((best, each) => (Math.abs(each - zero) < Math.abs(best - zero) ? each : best), Infinity);
    return Math.abs(nearest - zero) < 500 ? nearest : zero;
  }

  async #readPlaylist() {
    const address = this.#address;
    const text = await (await fetch(address)).text();
    if (this.#address !== address) return;
    for (const [, instant, length, number] of text.matchAll(/DATE-TIME:(\S+)\n#EXTINF:([\d.]+),\n(\d+)\.ts/g)) {
      const starts = Date.parse(instant);
      this.#starts.push(starts);
      this.#ends.set(Number(number), starts + 1000 * Number(length));
    }
  }

  #folder() {
    return this.#address.slice(0, this.#address.lastIndexOf("/") + 1);
  }
}
