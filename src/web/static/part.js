// A part of a page as the hub has it now. The hub alone decides what things look like; what a visitor is pressing is not
// replaced meanwhile, for what is replaced between down and up gets no click.

import { t } from "./texts.js";

const LONGEST_MS = 3000; // who holds a button longer than that has thought better of it
let release = () => {};
let pressed; // until the pointer is up again, and its click has come

addEventListener("pointerdown", ({ target }) => {
  if (target.closest?.("a, button, input, label, select, summary")) {
    pressed = new Promise((resolve) => { release = resolve; });
    setTimeout(release, LONGEST_MS);
  }
}, true);

for (const up of ["pointerup", "pointercancel"]) {
  addEventListener(up, () => setTimeout(release), true); // the click comes after it
}

/** Waits while the visitor is pressing something. */
export async function released() {
  let waited;
  while (waited !== pressed) {
    waited = pressed;
    await waited;
  }
}

/** The part with this id of the page at `url`, as the hub has it now; null for who is signed out. */
export function fetched(url, id) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.setRequestHeader("X-Orrery-Refresh", "1"); // nobody is there because a page looks
    request.timeout = 15000;
    request.addEventListener("load", () => {
      const part = request.response?.getElementById(id);
      if (part) {
        resolve(part);
      } else if (request.responseURL.includes("/login")) {
        resolve(null);
      } else {
        reject(new Error(t("api-answered", { status: request.status })));
      }
    });
    for (const failure of ["error", "timeout", "abort"]) {
      request.addEventListener(failure, () => reject(new Error(t("api-unreachable"))));
    }
    request.send();
  });
}
