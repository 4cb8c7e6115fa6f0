// What every page does: the menu on narrow screens, forms that send once, times in the reader's own words, announcements
// that can be put away.

import { page } from "./api.js";
import { h } from "./dom.js";
import { once } from "./once.js";
import { t } from "./texts.js";
import { showTimes } from "./times.js";

window.jhdata = page; // site templates may read it

const toggler = document.querySelector(".navbar-toggler");
toggler?.addEventListener("click", () => {
  const shown = document.getElementById("navbar-menu").classList.toggle("show");
  toggler.setAttribute("aria-expanded", String(shown));
});

document.querySelectorAll("form[data-once]").forEach(once);

/** Put away until its text changes, or until the browser is closed where it keeps nothing. */
function makeDismissible(announcement) {
  const key = "orrery-announcement";
  const text = announcement.textContent.trim();
  try {
    announcement.hidden = localStorage.getItem(key) === text;
  } catch {
    // storage is blocked
  }
  announcement.append(h("button", {
    type: "button",
    class: "btn-plain btn-small",
    "aria-label": t("page-announcement-hide-label"),
    onclick: () => {
      announcement.hidden = true;
      document.getElementById("main").focus();
      try {
        localStorage.setItem(key, text);
      } catch {
        // storage is blocked
      }
    },
  }, t("page-announcement-hide")));
}

document.querySelectorAll("[data-dismissible]").forEach(makeDismissible);
document.getElementById("spawn-error")?.focus();
showTimes();
setInterval(() => showTimes(), 30000);
window._jupyterhub_page_loaded = true;
