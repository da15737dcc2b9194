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

  const hear = (line) => {
    player.currentTime = Number(line.dataset.start);
    player.play().catch(() => {}); // the browser may want a click on the player first
  };
  document.addEventListener("click", (event) => {
    const line = event.target.closest(".segments li");
    if (line === null || !window.getSelection().isCollapsed) return; // somebody selects text to copy it
    hear(line);
  });

  let heard = null;
  player.addEventListener("timeupdate", () => {
    const now = player.currentTime;
    if (heard?.isConnected && now >= heard.dataset.start && now < heard.dataset.end) return;
    heard?.removeAttribute("aria-current");
    heard = [...document.querySelectorAll(".segments li")].find((line) => now >= line.dataset.start && now < line.dataset.end) ?? null;
    heard?.setAttribute("aria-current", "true");
  });
})();
