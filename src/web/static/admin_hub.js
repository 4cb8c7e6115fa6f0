// The end of the hub, looked at from a page: until it is gone, while it is away, and when it is back (UI-120).

import { page } from "./api.js";
import { request } from "./admin_part.js";
import { locale, t } from "./texts.js";

const LOOK_MS = 1000;
const ASK_AFTER = 5; // looks; a quick restart may come in between two of them

async function look(url) {
  try {
    const answer = await fetch(url, { cache: "no-store", redirect: "manual" });
    return answer.ok ? answer : null;
  } catch {
    return null;
  }
}

/** Watches a hub that is about to end. */
function watchHub(place) {
  const state = document.getElementById("hub-state");
  const title = place.querySelector("h2");
  const since = Date.now();
  const { started } = document.getElementById("admin-view").dataset;
  let [gone, looks] = [null, 0];
  const again = () => setTimeout(watch, LOOK_MS);
  /** Whether it is another process than the one that was to end. */
  async function isAnother() {
    try {
      const answer = await request("GET", `${page.base_url}admin/hub`);
      return answer !== null && answer.html.getElementById("admin-view").dataset.started !== started;
    } catch {
      return false;
    }
  }
  async function watch() {
    const up = await look(`${page.base_url}health`);
    if (!up) {
      gone ??= new Date();
      title.textContent = t("admin-down");
      state.textContent = t("admin-down-text", { time: gone.toLocaleTimeString(locale) });
      again();
      return;
    }
    looks += 1;
    if (gone || (looks % ASK_AFTER === 0 && await isAnother())) {
      title.textContent = t("admin-back");
      state.textContent = t("admin-back-text", { seconds: Math.round((Date.now() - (gone ?? since)) / 1000) });
      const link = document.createElement("a");
      link.href = `${page.base_url}admin/hub`;
      link.className = "btn";
      link.textContent = t("admin-continue");
      place.append(link);
      return;
    }
    const seconds = Math.round((Date.now() - since) / 1000);
    state.textContent = t("admin-still-up", { seconds });
    again();
  }
  watch();
}

const ending = document.getElementById("hub-ending");
if (ending) {
  watchHub(ending);
}
