// Watching a server start: events from the hub move the bar, add steps, and end at the server or at what failed.

import { call, page, showError, withXsrf } from "./api.js";
import { h } from "./dom.js";
import { locale, t, told } from "./texts.js";
import { dropDrafts } from "./drafts.js";

const at = (id) => document.getElementById(id);
const { progressUrl, apiUrl } = at("progress").dataset;
const bar = at("progress-bar");
const steps = at("progress-steps");
const began = Date.now();
const AGAIN_MS = 5000;
let stopping = false;
let last; // the step that is under way

let events;
dropDrafts();
watch();
const clock = setInterval(tick, 1000);

function watch() {
  events = new EventSource(withXsrf(progressUrl));
  events.addEventListener("open", () => {
    status("");
    steps.replaceChildren(); // the stream tells them all again
    at("progress-log").replaceChildren();
    last = undefined;
  });
  events.addEventListener("message", (event) => handle(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CONNECTING) {
      status(t("progress-interrupted"));
    } else {
      look();
    }
  });
}

/** The stream has ended without an end: signed out, or there is nothing to watch any more, or the hub is away. */
async function look() {
  status(t("progress-interrupted"));
  at("refresh").hidden = false;
  try {
    await fetch(location.href, { method: "GET", redirect: "manual" });
    // the hub is there: this page leads to the server, to the sign-in and back, or says what became of the start
    setTimeout(() => location.reload(), AGAIN_MS);
  } catch {
    setTimeout(look, AGAIN_MS);
  }
}

function status(text) {
  at("progress-status").textContent = text;
}

function span(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? t("span-seconds", { seconds }) : t("span-minutes", { minutes: Math.floor(seconds / 60), seconds: seconds % 60 });
}

function tick() {
  if (last) {
    last.took.textContent = span(Date.now() - last.since);
  }
}

function handle(event) {
  if (event.progress !== undefined) {
    // a start that tells no more than that it is under way has an honest bar
    bar.classList.toggle("waiting", event.progress < 10 && !event.failed);
    bar.style.width = bar.classList.contains("waiting") ? "100%" : `${event.progress}%`;
    if (bar.classList.contains("waiting")) {
      bar.removeAttribute("aria-valuenow");
    } else {
      bar.setAttribute("aria-valuenow", String(event.progress));
    }
  }
  if (event.html_message || event.message) {
    show(event);
  }
  if (event.ready) {
    events.close();
    location.reload(); // the hub answers with the way to the server, `next` included
  } else if (event.failed) {
    events.close();
    clearInterval(clock);
    if (!stopping) {
      showFailure();
    }
  }
}

/** `html_message` is markup that the spawner vouches for, `message` is plain text. */
function show(event) {
  const line = h("div", { class: "progress-log-event", title: new Date().toLocaleTimeString(locale) });
  for (const element of [line, at("progress-message")]) {
    if (event.html_message) {
      element.innerHTML = event.html_message;
    } else {
      element.textContent = told(event.message);
    }
  }
  at("progress-log").append(line);
  addStep(event);
}

function addStep(event) {
  tick();
  last?.item.classList.remove("now");
  const took = h("span", { class: "took" });
  const words = (event.message && told(event.message.split("\n")[0])) || at("progress-message").textContent;
  const item = h("li", { class: event.failed ? "failed" : event.ready ? "" : "now" }, h("span", {}, words), took);
  steps.append(item);
  last = { item, took, since: Date.now() };
  if (event.failed) {
    took.textContent = t("progress-failed-after", { time: span(Date.now() - began) });
    last = undefined;
  }
}

function showFailure() {
  bar.classList.remove("waiting");
  bar.classList.add("failed");
  bar.style.width = "100%";
  document.querySelector(".mark")?.classList.remove("moving");
  at("progress-heading").textContent = t("failed-title");
  document.title = document.title.replace(/^[^·]*/, `${t("failed-title")} `);
  at("progress-promise").hidden = true;
  at("progress-details").open = true;
  at("stop-server-form").hidden = true;
  at("retry").hidden = false;
  at("retry").focus();
}

at("stop-server-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (stopping) {
    return;
  }
  stopping = true;
  at("stop-server-btn").disabled = true;
  status(t("progress-stopping"));
  try {
    await call("DELETE", apiUrl);
    events.close();
    status(t("progress-stopped"));
    setTimeout(() => location.assign(`${page.base_url}home`), 1000);
  } catch (error) {
    stopping = false;
    at("stop-server-btn").disabled = false;
    status("");
    showError(error);
  }
});
