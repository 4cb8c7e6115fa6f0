// Talking to the hub's REST API as the person who is signed in, and telling them when that fails.

import { renewToken, tellIfChanged } from "./session.js";
import { page, t } from "./texts.js";

export { page };

/** A request that the hub refused or that never reached it (status 0). */
export class ApiError extends Error {
  constructor(status, message, retryAfter = 0) {
    super(t("api-failed", { status, message }));
    this.status = status;
    this.reason = message; // for places where nobody wonders what a request is
    this.retryAfter = retryAfter; // seconds after which it may work
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
      headers: { Accept: accept, "Content-Type": "application/json", "X-Orrery-Page": "1" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, t("api-unreachable"));
  }
  const told = response.status === 403 && await tellIfChanged();
  if (response.status === 403 && !told && renewToken()) {
    return call(method, url, body, accept);
  }
  if (!response.ok) {
    const error = new ApiError(response.status, await reason(response), Number(response.headers.get("Retry-After")) || 0);
    error.told = told;
    throw error;
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
