// Several files, one after another, each with its own progress and its own answer. Without this script the form
// is sent as a plain form.
"use strict";

(() => {
  const form = document.getElementById("upload");
  if (form === null) return;
  const input = form.querySelector("#files");
  const drop = form.querySelector("#drop");
  const list = form.querySelector("#uploads");
  const chosen = form.querySelector("#chosen");
  const maxBytes = Number(form.dataset.maxBytes);
  const ending = new RegExp(`\\.(${form.dataset.endings})$`, "i");
  const waiting = [];
  const described = new Map();  // the id of each field's help text; an error is named beside it
  form.querySelectorAll("[aria-describedby]").forEach((field) => described.set(field, field.getAttribute("aria-describedby")));
  let busy = false;

  const size = (bytes) => {
    const units = ["bytes", "KiB", "MiB", "GiB"];
    let unit = 0;
    while (bytes >= 1024 && unit < 3) { bytes /= 1024; unit += 1; }
    return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
  };
  const left = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`);
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };

  const row = (file) => {
    const item = make("li", "upload");
    const head = make("div", "upload-head");
    const cancel = make("button", "button small", "Cancel");
    cancel.type = "button";
    head.append(make("strong", "upload-name", file.name), make("span", "quiet small", size(file.size)), cancel);
    const bar = make("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", `Upload of ${file.name}`);
    const says = make("p", "small", "Waits for its turn");
    says.setAttribute("role", "status");
    item.append(head, bar, says);
    list.append(item);
    list.hidden = false;
    return { item, bar, says, cancel };
  };

  const end = (view, className, ...content) => {
    view.bar.remove();
    view.cancel.remove();
    view.item.classList.add(className);
    view.says.replaceChildren(...content);
  };
  const link = (job) => {
    const anchor = make("a", "", `Open “${job.title}”`);
    anchor.href = job.url;
    return anchor;
  };

  const answered = (view, request) => {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch { /* a page, not JSON: told by its status below */ }
    if (request.status === 201) {
      const content = ["Queued. ", link(answer.job)];
      if (answer.duplicate !== null) content.push(" The same recording was uploaded before: ", link(answer.duplicate));
      for (const text of answer.notes) content.push(make("span", "note", text));
      end(view, "good", ...content);
      window.htmx?.trigger("#job-list", "refresh");
      return;
    }
    const old = "The form is too old. Reload the page and choose the file again.";
    const error = answer.error ?? (request.status === 403 ? old : `The panel answered ${request.status}. Nothing was kept; try again.`);
    end(view, "bad", error);
    for (const [name, texts] of Object.entries(answer.fields ?? {})) markField(name, texts);
  };
  const markField = (name, texts) => {
    const field = form.elements[name];
    if (!(field instanceof Element)) return;
    field.closest("details")?.setAttribute("open", "");
    const box = field.closest(".field");
    if (box.classList.contains("wrong")) return;  // several files, one mistake
    box.classList.add("wrong");
    const errors = make("ul", "errorlist");
    for (const text of texts) errors.append(make("li", "", text));
    errors.id = `${field.id}_error`;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", [described.get(field), errors.id].filter(Boolean).join(" "));
    box.append(errors);
  };

  const send = ({ file, values, view }) => new Promise((done) => {
    const request = new XMLHttpRequest();
    const begun = performance.now();
    let sent = false;  // from here on only the panel knows whether a job came of it
    const unsure = () => {
      end(view, "bad", "The connection broke after the file was sent. It may have arrived: look at the list of jobs.");
      window.htmx?.trigger("#job-list", "refresh");
    };
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      view.bar.value = event.loaded / event.total;
      const seconds = (performance.now() - begun) / 1000;
      const rest = (event.total - event.loaded) / (event.loaded / seconds);
      view.says.textContent = event.loaded < event.total
        ? `${Math.floor(100 * event.loaded / event.total)} %, ${size(event.loaded / seconds)}/s${seconds > 2 ? `, ${left(rest)} left` : ""}`
        : "Sent. The panel looks into the file …";
      if (event.loaded >= event.total) { sent = true; view.cancel.remove(); }
    });
    request.addEventListener("load", () => { answered(view, request); done(); });
    request.addEventListener("error", () => {
      if (sent) unsure(); else end(view, "bad", "The connection broke. Nothing was kept; choose the file again.");
      done();
    });
    request.addEventListener("abort", () => {
      if (sent) unsure(); else end(view, "bad", "Cancelled. Nothing was kept.");
      done();
    });
    view.cancel.addEventListener("click", () => request.abort());
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    const body = new FormData();
    for (const [name, value] of values) body.append(name, value);
    body.append("files", file);
    request.send(body);
  });

  const work = async () => {
    if (busy) return;
    busy = true;
    while (waiting.length > 0) {
      const next = waiting.shift();
      if (!next.view.item.classList.contains("bad")) await send(next);
    }
    busy = false;
  };

  const add = (files) => {
    form.querySelectorAll(".errorlist").forEach((element) => element.remove());
    form.querySelectorAll(".wrong").forEach((element) => element.classList.remove("wrong"));
    form.querySelectorAll("[aria-invalid]").forEach((element) => {
      element.removeAttribute("aria-invalid");
      if (described.get(element)) element.setAttribute("aria-describedby", described.get(element));
      else element.removeAttribute("aria-describedby");
    });
    const values = [...new FormData(form)].filter(([name]) => name !== "files");
    const title = values.find(([name]) => name === "title");
    for (const file of files) {
      const view = row(file);
      const own = values.map(([name, value]) => [name, value]);
      if (title && title[1] && files.length > 1) {
        own.find(([name]) => name === "title")[1] = `${title[1]}: ${file.name.replace(ending, "")}`.slice(0, 200);
      }
      if (file.size > maxBytes) {
        end(view, "bad", `${file.name} has ${size(file.size)}; at most ${form.dataset.maxText} are taken. Cut it into parts, or ask the administrator to raise the limit.`);
        continue;
      }
      if (file.size === 0) {
        end(view, "bad", `${file.name} is empty. Choose the recording itself.`);
        continue;
      }
      view.cancel.addEventListener("click", () => end(view, "bad", "Cancelled. Nothing was kept."), { once: true });
      waiting.push({ file, values: own, view });
    }
    void work();
  };

  const tell = () => {
    const count = input.files.length;
    chosen.textContent = count === 0 ? "" : count === 1 ? `Chosen: ${input.files[0].name}` : `Chosen: ${count} files`;
  };
  input.addEventListener("change", tell);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add([...input.files]);
    input.value = "";
    form.elements.title.value = "";  // it named these; the next recording has a name of its own
    tell();
  });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    input.files = event.dataTransfer.files;
    tell();
  });
  // A file dropped beside the field must not replace the page.
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
  // The login has ended: what is on its way arrives all the same, and its answer is shown again after the next login.
  const KEPT = "upload-answers";
  document.addEventListener("login-ended", (event) => {
    if (busy) event.preventDefault();
    else if (list.children.length > 0) sessionStorage.setItem(KEPT, list.innerHTML);
  });
  const kept = sessionStorage.getItem(KEPT);
  if (kept !== null) {
    sessionStorage.removeItem(KEPT);
    list.innerHTML = kept;
    list.hidden = false;
  }
  window.addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
  form.classList.add("scripted");
})();
