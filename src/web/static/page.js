// What every page does: the menu on narrow screens, forms that send once, times in the reader's own words.

import { page } from "./api.js";
import { showTimes } from "./times.js";

window.jhdata = page; // site templates may read it

const toggler = document.querySelector(".navbar-toggler");
toggler?.addEventListener("click", () => {
  const shown = document.getElementById("navbar-menu").classList.toggle("show");
  toggler.setAttribute("aria-expanded", String(shown));
});

for (const form of document.querySelectorAll("form[data-once]")) {
  const submits = form.querySelectorAll('[type="submit"]');
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    // a disabled button would not be sent, so only after the browser has collected the fields
    setTimeout(() => submits.forEach((button) => { button.disabled = true; }));
    form.setAttribute("aria-busy", "true");
  });
  // the back button may bring the page back as it was left
  addEventListener("pageshow", () => {
    sent = false;
    submits.forEach((button) => { button.disabled = false; });
    form.removeAttribute("aria-busy");
  });
}

showTimes();
setInterval(() => showTimes(), 30000);
window._jupyterhub_page_loaded = true;
