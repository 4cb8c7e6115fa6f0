// The home page: stopping, deleting and adding servers without leaving the page.

import { call, showError } from "./api.js";
import { displayName, slug } from "./names.js";

const ACTIVE = new Set(["starting", "running", "stopping"]);
const LOOK_AGAIN_MS = 1000;
const { userApiUrl } = document.getElementById("default-server").dataset;

/** Names of the servers that the hub still counts as running, starting or stopping; "" is the default server. */
async function activeServers() {
  const user = await (await call("GET", userApiUrl)).json();
  return Object.values(user.servers ?? {})
    .filter((server) => server.ready || server.pending)
    .map((server) => server.name);
}

/** Asks for a stop and returns when the server has really stopped. */
async function stop(apiUrl, name) {
  const response = await call("DELETE", apiUrl);
  if (response.status !== 202) {
    return;
  }
  while ((await activeServers()).includes(name)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

function setState(place, state) {
  place.dataset.state = state;
  const words = place.querySelector(".state");
  words.className = `state state-${state}`;
  words.textContent = state[0].toUpperCase() + state.slice(1);
}

/** Runs `action` with the controls of `place` disabled; whatever happens, they end usable again. */
async function busy(place, action) {
  if (place.getAttribute("aria-busy") === "true") {
    return;
  }
  const controls = [...place.querySelectorAll("button, input")];
  place.setAttribute("aria-busy", "true");
  controls.forEach((control) => { control.disabled = true; });
  try {
    await action();
  } catch (error) {
    showError(error);
  } finally {
    controls.forEach((control) => { control.disabled = false; });
    place.removeAttribute("aria-busy");
  }
}

/** Stops the server of `place`, showing each state on the way; a failure brings back the state before. */
function stopServer(place, showStopped) {
  return busy(place, async () => {
    const before = place.dataset.state;
    setState(place, "stopping");
    try {
      await stop(place.dataset.apiUrl, place.dataset.serverName);
    } catch (error) {
      setState(place, before);
      throw error;
    }
    setState(place, "stopped");
    showStopped();
  });
}

function prepareDefaultServer() {
  const place = document.getElementById("default-server");
  const start = document.getElementById("start");
  const form = place.querySelector(".stop-form");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const href = start.getAttribute("href");
    start.setAttribute("aria-disabled", "true");
    start.removeAttribute("href");
    stopServer(place, () => {
      form.remove();
      start.textContent = "Start My Server";
      start.setAttribute("href", place.dataset.spawnUrl);
    }).finally(() => {
      start.removeAttribute("aria-disabled");
      if (!start.hasAttribute("href")) {
        start.setAttribute("href", href);
      }
      start.focus();
    });
  });
}

function showRow(row) {
  const active = ACTIVE.has(row.dataset.state);
  row.querySelector(".start-server").hidden = active;
  row.querySelector(".stop-form").hidden = !active;
  row.querySelector(".delete-server").hidden = active;
  row.querySelector(".server-link").hidden = row.dataset.state !== "running";
  row.querySelector(".progress-link").hidden = !active || row.dataset.state === "running";
}

function prepareRow(row) {
  row.querySelector(".stop-form").addEventListener("submit", (event) => {
    event.preventDefault();
    stopServer(row, () => {
      showRow(row);
      row.querySelector(".start-server").focus();
    });
  });
  row.querySelector(".delete-server").addEventListener("click", () => {
    if (!confirm(`Delete the server “${row.dataset.displayName}”? Its name and settings will be gone.`)) {
      return;
    }
    busy(row, async () => {
      await call("DELETE", row.dataset.apiUrl, { remove: true });
      row.remove();
      document.getElementById("new-server-name").focus();
    });
  });
}

function prepareAdding(row) {
  const input = row.querySelector(".new-server-name");
  const preview = document.getElementById("new-server-preview");
  input.addEventListener("input", () => {
    const display = displayName(input.value);
    preview.textContent = display ? `Its name in addresses will be ${slug(display)}.` : "";
  });
  row.querySelector(".add-server-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const display = displayName(input.value);
    if (!display) {
      preview.textContent = "Type a name for the server first.";
      input.focus();
      return;
    }
    busy(row, async () => {
      await call("PUT", `${userApiUrl}/servers/${slug(display)}`, { display_name: display });
      location.reload();
    });
  });
}

prepareDefaultServer();
document.querySelectorAll(".home-server-row:not(.add-server-row)").forEach(prepareRow);
document.querySelectorAll(".add-server-row").forEach(prepareAdding);
