// What htmx needs from us: no polling of a hidden page, and a word when the panel is gone or the login has ended.
"use strict";

(() => {
  const polls = (event) => event.detail.requestConfig?.triggeringEvent === undefined;

  document.addEventListener("htmx:beforeRequest", (event) => {
    const closed = event.target.closest("details:not([open])") !== null; // a log that nobody looks at
    if ((document.hidden || closed) && polls(event)) event.preventDefault();
  });

  let notice = null;
  const lost = () => {
    if (notice !== null) return;
    notice = document.createElement("p");
    notice.className = "notice bad lost";
    notice.setAttribute("role", "alert");
    notice.textContent = "The panel does not answer. What you see may be old; this page goes on asking.";
    document.getElementById("content").prepend(notice);
  };
  const found = () => {
    notice?.remove();
    notice = null;
  };
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status >= 500) lost();
  });
  document.addEventListener("htmx:afterOnLoad", (event) => { // comes after an error, too
    if (event.detail.xhr.status < 500) found();
  });

  // What was said of an act ("Stopping …") is old when the page has gone on and a while has passed; what went wrong
  // stays. It goes by the clock, not with the next poll: the page of a job that has ended asks no more.
  const SAID_MS = 10_000;
  const shownAt = performance.now();
  const forget = () =>
    document.querySelectorAll(".messagelist > .success, .messagelist > .info").forEach((said) => said.remove());
  document.addEventListener(
    "htmx:afterOnLoad",
    () => setTimeout(forget, Math.max(0, shownAt + SAID_MS - performance.now())),
    { once: true },
  );

  // An answer that is a whole page means that the login has ended: show it as a page, when nothing here must be ended first.
  let told = null;
  const loginEnded = () => {
    if (document.dispatchEvent(new Event("login-ended", { cancelable: true }))) {
      window.location.reload();
    } else if (told === null) {
      told = document.createElement("p");
      told.className = "notice warn lost";
      told.setAttribute("role", "alert");
      told.textContent = "Your login has ended. The upload goes on; when it is finished, you are asked to log in again.";
      document.getElementById("content").prepend(told);
    }
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status < 500 && event.detail.xhr.responseText.trimStart().startsWith("<!DOCTYPE")) {
      event.detail.shouldSwap = false;
      loginEnded();
    } else if (event.detail.xhr.status < 400) { // logged in again, in another tab
      told?.remove();
      told = null;
    }
  });
})();
