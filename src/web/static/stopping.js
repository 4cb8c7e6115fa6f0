// Watching a server stop: the page is asked for again until it says something else; or the server starts again by itself.

import { call } from "./api.js";
import { t, told } from "./texts.js";

const LOOK_MS = 2000;
const place = document.getElementById("stopping");
const status = document.getElementById("stopping-status");
const began = Date.now();
let away = false;

async function look() {
  if (!document.hidden) {
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
  }
  setTimeout(look, LOOK_MS);
}

setTimeout(look, LOOK_MS);
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
    status.textContent = told(error.reason ?? error.message);
    button.disabled = false;
    place.removeAttribute("aria-busy");
  }
});
