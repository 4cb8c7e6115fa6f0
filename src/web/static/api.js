// Talking to the hub's REST API as the person who is signed in, and telling them when that fails.

import { t } from "./texts.js";

/** The page's facts: base_url, prefix, user, xsrf_token. */
export const page = JSON.parse(document.getElementById("jhdata").textContent);

/** A request that the hub refused or that never reached it (status 0). */
export class ApiError extends Error {
  constructor(status, message) {
    super(t("api-failed", { status, message }));
    this.status = status;
    this.reason = message; // for places where nobody wonders what a request is
  }
}

/** `url` with the XSRF token that the hub demands of browsers. */
export function withXsrf(url) {
  const target = new URL(url, location.href);
  target.searchParams.set("_xsrf", page.xsrf_token);
  return target.href;
}

/** Sends a request; gives the response, or throws an ApiError. */
export async function call(method, url, body, accept = "application/json") {
  let response;
  try {
    response = await fetch(withXsrf(url), {
      method,
      headers: { Accept: accept, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, t("api-unreachable"));
  }
  if (!response.ok) {
    throw new ApiError(response.status, await reason(response));
  }
  return response;
}

async function reason(response) {
  try {
    return (await response.json()).message || response.statusText;
  } catch {
    return response.statusText;
  }
}

/** Shows what went wrong in the page's error dialog. */
export function showError(error) {
  const dialog = document.getElementById("error-dialog");
  if (!dialog.open) {
    dialog.showModal();
  }
  dialog.querySelector(".modal-body").textContent = error.message;
}
