// The page of a stopped server: the start link leads back to the same spot, and may follow itself after a while.

import { t } from "./texts.js";

const start = document.getElementById("start");

if (start) {
  keepFragment();
  const seconds = Number(start.dataset.implicitSpawnSeconds);
  if (seconds > 0) {
    startAfter(seconds);
  }
}

/** The server never sees the fragment, so it joins the address that `next` returns to. */
function keepFragment() {
  if (!location.hash) {
    return;
  }
  const target = new URL(start.href);
  const next = target.searchParams.get("next");
  if (next) {
    target.searchParams.set("next", next + location.hash);
  } else {
    target.hash = location.hash;
  }
  start.href = target.href;
}

function startAfter(seconds) {
  const status = document.getElementById("implicit-spawn");
  const deadline = Date.now() + seconds * 1000;
  const show = () => {
    const left = Math.max(0, Math.ceil((deadline - Date.now()) / 1000));
    status.textContent = t("not-running-soon", { seconds: left });
  };
  const go = setTimeout(() => location.assign(start.href), seconds * 1000);
  const ticking = setInterval(show, 1000);
  show();
  document.getElementById("implicit-spawn-cancel").addEventListener("click", (event) => {
    clearTimeout(go);
    clearInterval(ticking);
    status.textContent = t("not-running-never");
    event.currentTarget.hidden = true;
    start.focus();
  });
}
