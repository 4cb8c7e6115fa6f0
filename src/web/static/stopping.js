// Watching a server stop: the page is asked for again until it says something else, at once when one's own servers change and
// now and then in any case; or the server starts again by itself.

import { call, page } from "./api.js";
import { t } from "./texts.js";

const LOOK_MS = 5000;
const place = document.getElementById("stopping");
const status = document.getElementById("stopping-status");
const began = Date.now();
let away = false;
let waiting;
let looking = false;
let changes;

async function look() {
  clearTimeout(waiting);
  if (!document.hidden && !looking) {
    looking = true;
    try {
      const answer = await fetch(location.href, { redirect: "manual" });
      away = false;
      if (answer.type === "opaqueredirect" || !(await answer.text()).includes('id="stopping"')) {
        location.reload();
        return;
      }
    } catch {
      away = true;
    }
    looking = false;
  }
  waiting = setTimeout(look, LOOK_MS);
}

/** Hears of changes while somebody sees the page; the first word is no change. */
function listen() {
  changes?.close();
  changes = document.hidden ? undefined : new EventSource(`${page.base_url}home/events`);
  let known;
  changes?.addEventListener("message", ({ data }) => {
    if (known !== undefined && known !== data) {
      look();
    }
    known = data;
  });
}

waiting = setTimeout(look, LOOK_MS);
listen();
document.addEventListener("visibilitychange", () => { listen(); look(); });
setInterval(() => {
  // seldom enough to be read out
  const seconds = Math.floor((Date.now() - began) / 10000) * 10;
  const words = away ? t("stopping-away") : seconds ? t("stopping-since", { seconds }) : "";
  if (status.textContent !== words && !place.hasAttribute("aria-busy")) {
    status.textContent = words;
  }
}, 1000);

document.getElementById("start-again").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.disabled = true;
  place.setAttribute("aria-busy", "true");
  status.textContent = t("stopping-then");
  try {
    await call("POST", `${place.dataset.apiUrl}/restart`);
  } catch (error) {
    status.textContent = error.reason ?? error.message;
    button.disabled = false;
    place.removeAttribute("aria-busy");
  }
});
