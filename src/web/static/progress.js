// Watching a server start: events from the hub move the bar, fill the log and end at the server or at what failed.

import { call, page, showError, withXsrf } from "./api.js";

const at = (id) => document.getElementById(id);
const { progressUrl, apiUrl } = at("progress").dataset;
const bar = at("progress-bar");
let stopping = false;

const events = new EventSource(withXsrf(progressUrl));
events.addEventListener("open", () => status(""));
events.addEventListener("message", (event) => handle(JSON.parse(event.data)));
events.addEventListener("error", () => {
  if (events.readyState === EventSource.CONNECTING) {
    status("The connection was interrupted. Reconnecting…");
  } else {
    status("The connection to the hub has ended. Reload this page to see how far the start is.");
    at("refresh").hidden = false;
  }
});

function status(text) {
  at("progress-status").textContent = text;
}

function handle(event) {
  if (event.progress !== undefined) {
    bar.style.width = `${event.progress}%`;
    bar.setAttribute("aria-valuenow", String(event.progress));
  }
  if (event.html_message || event.message) {
    show(event);
  }
  if (event.ready) {
    events.close();
    location.reload(); // the hub answers with the way to the server, `next` included
  } else if (event.failed) {
    events.close();
    if (!stopping) {
      showFailure();
    }
  }
}

/** `html_message` is markup that the spawner vouches for, `message` is plain text. */
function show(event) {
  const line = document.createElement("div");
  line.className = "progress-log-event";
  for (const element of [line, at("progress-message")]) {
    if (event.html_message) {
      element.innerHTML = event.html_message;
    } else {
      element.textContent = event.message;
    }
  }
  line.title = new Date().toLocaleTimeString();
  at("progress-log").append(line);
}

function showFailure() {
  bar.classList.add("failed");
  at("progress-heading").textContent = "Spawn failed";
  document.title = document.title.replace(/^[^·]*/, "Spawn failed ");
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
  status("Stopping the server…");
  try {
    await call("DELETE", apiUrl);
    events.close();
    status("The server is stopped. Going back to your home page.");
    setTimeout(() => location.assign(`${page.base_url}home`), 1000);
  } catch (error) {
    stopping = false;
    at("stop-server-btn").disabled = false;
    status("");
    showError(error);
  }
});
