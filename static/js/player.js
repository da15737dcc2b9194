// The recording and its text: click a segment to hear it; the one being heard is marked.
"use strict";

(() => {
  const player = document.getElementById("player");
  const note = document.getElementById("player-note");
  if (player === null) return;

  const cannotPlay = () => {
    player.hidden = true;
    note.hidden = false;
  };
  if (player.error !== null) cannotPlay();
  player.addEventListener("error", cannotPlay);

  // The text counts from 0. Chromium keeps the file's own clock, which may start at 7 s or at 3 h; Firefox counts from 0.
  // Where a player stands before anything was played says which of the two it does.
  const clockStart = Number(player.dataset.clockStart);
  let zero = clockStart === 0 ? 0 : null;
  const measure = () => {
    zero ??= Math.min(clockStart, player.currentTime);
  };

  // Chromium takes an mp4 whose clock starts late for shorter than it is; it learns better as it reads on.
  let wanted = null;
  const seek = () => {
    if (wanted === null || zero === null) return;
    player.currentTime = zero + wanted;
    if (player.currentTime > zero + wanted - 0.1) wanted = null;
  };
  if (player.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) measure();
  player.addEventListener("loadeddata", () => {
    measure();
    seek();
  });
  player.addEventListener("durationchange", seek);
  player.addEventListener("pause", () => {
    if (!player.ended) wanted = null;
  });

  const hear = (line) => {
    wanted = Number(line.dataset.start);
    seek();
    player.play().catch(() => {}); // the browser may want a click on the player first
  };
  document.addEventListener("click", (event) => {
    const line = event.target.closest(".segments li");
    if (line === null || !window.getSelection().isCollapsed) return; // somebody selects text to copy it
    hear(line);
  });

  let heard = null;
  player.addEventListener("timeupdate", () => {
    const now = player.currentTime - (zero ?? 0) + 0.001; // what a difference loses must not mark the line before
    if (heard?.isConnected && now >= heard.dataset.start && now < heard.dataset.end) return;
    heard?.removeAttribute("aria-current");
    heard = [...document.querySelectorAll(".segments li")].find((line) => now >= line.dataset.start && now < line.dataset.end) ?? null;
    heard?.setAttribute("aria-current", "true");
  });
})();
