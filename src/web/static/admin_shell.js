// What the views of the admin page share: the address behind `#`, lists of the REST API, messages.

import { call, page } from "./api.js";

/** What the hub says about this page: page sizes, the visitor's scopes. */
export const facts = JSON.parse(document.getElementById("admin-data").textContent);

const PAGES = "application/jupyterhub-pagination+json";
const problemText = document.getElementById("admin-problem");
const statusText = document.getElementById("admin-status");

/** Whether the visitor holds a scope in any form; which users it reaches, the API knows. */
export function may(...bases) {
  return facts.scopes.some((scope) => bases.includes(scope.split("!")[0]));
}

/** The address of a REST resource; each part is one segment. */
export function api(...parts) {
  return `${page.base_url}api/${parts.map(encodeURIComponent).join("/")}`;
}

/** One page of a list: `items` and `_pagination`. */
export async function list(url, params) {
  const target = new URL(url, location.href);
  for (const [name, value] of Object.entries(params)) {
    if (value !== "" && value !== undefined) {
      target.searchParams.set(name, value);
    }
  }
  return (await call("GET", target.href, undefined, PAGES)).json();
}

/** The view and its arguments, as the address says. */
export function place() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  return { path: path || "/", params: new URLSearchParams(query) };
}

/** The address of a view, without arguments that are empty. */
export function to(path, params = {}) {
  const kept = Object.entries(params).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const query = new URLSearchParams(kept).toString();
  return `#${path}${query ? `?${query}` : ""}`;
}

/** Goes to a view. */
export function go(path, params) {
  location.hash = to(path, params);
}

/** Tells what was done, to screen readers too. */
export function tell(text) {
  statusText.textContent = text;
}

/** Tells what went wrong, and takes the message away again without an argument. */
export function problem(error) {
  problemText.hidden = !error;
  problemText.textContent = error ? explain(error) : "";
  if (error) {
    problemText.scrollIntoView({ block: "nearest" });
  }
}

/** An error in words. */
export function explain(error) {
  return error.status === 403
    ? `${error.message} If you have been signed out meanwhile, reload the page and sign in.`
    : error.message;
}

/** Runs `action` with `button` disabled; gives whether it succeeded. */
export async function attempt(button, action) {
  button.disabled = true;
  problem();
  try {
    await action();
    return true;
  } catch (error) {
    problem(error);
    return false;
  } finally {
    button.disabled = false;
  }
}
