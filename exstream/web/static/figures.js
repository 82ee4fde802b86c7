// The figures over the picture: what is played, how soon it came, and how far behind live it is.
"use strict";

// Given are the form, when it was asked for and when the first frame came (ms, 0: not yet), and the instant in the
// picture (ms, or null).
function drawFigures(list, picture, { mode, started, firstFrame, at }) {
  const { buffered, currentTime } = picture;
  const ahead = buffered.length ? buffered.end(buffered.length - 1) - currentTime : 0;
  const quality = picture.getVideoPlaybackQuality?.();
  const rows = [
    ["Mode", mode || "–"],
    ["Picture", picture.videoWidth ? `${picture.videoWidth}×${picture.videoHeight}` : "–"],
    ["First frame", firstFrame ? `${((firstFrame - started) / 1000).toFixed(2)} s` : "–"],
    ["Shown", at === null ? "–" : moments.format(new Date(at))],
    ["Behind live", at === null ? "–" : `${Math.max(0, (serverNow() - at) / 1000).toFixed(1)} s`],
    ["Buffered", `${ahead.toFixed(1)} s`],
    ["Dropped", quality ? `${quality.droppedVideoFrames} of ${quality.totalVideoFrames}` : "–"],
  ];
  list.replaceChildren(...rows.flatMap(([name, value]) => {
    const [term, definition] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    definition.textContent = value;
    definition.dataset.figure = name;
    return [term, definition];
  }));
}
