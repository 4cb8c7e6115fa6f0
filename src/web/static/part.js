// A part of a page as the hub has it now. The hub alone decides what things look like.

import { t } from "./texts.js";

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
