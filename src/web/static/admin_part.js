// The part of an administration page that changes: fetched again and replaced, without taking away what the visitor is
// doing in it. The hub alone decides what things look like.

import { connection } from "./live.js";
import { signedOut } from "./session.js";
import { t } from "./texts.js";
import { showTimes } from "./times.js";

const SOON_MS = 1000; // while something is under way
const LATER_MS = 10000;
const PATIENCE_MS = 4000; // a hub may be away that long before anybody is told

const part = () => document.getElementById("admin-view");
const problems = new Map(); // what went wrong last, by row: an update must not take it away
let known = part().cloneNode(true);
let address = location.href;
let busy = 0;
let waiting;
let late;

/** Sends a request for a page; gives its document, or null for who is signed out. */
export function request(method, url, body) {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest();
    asked.open(method, url);
    asked.responseType = "document";
    asked.addEventListener("load", () => {
      const html = asked.response;
      if (html?.getElementById("admin-view")) {
        resolve({ html, url: asked.responseURL });
      } else if (asked.responseURL.includes("/login") || (asked.status === 403 && !html?.querySelector("#logout"))) {
        resolve(null);
      } else {
        reject(new Error(html?.querySelector("main p")?.textContent.trim() || t("api-answered", { status: asked.status })));
      }
    });
    asked.addEventListener("error", () => reject(new Error(t("api-unreachable"))));
    asked.send(body);
  });
}

/** Row of a key. */
export function row(key) {
  return [...part().querySelectorAll("[data-key]")].find(({ dataset }) => dataset.key === key);
}

/** Remembers what the answer to a form says of rows, and forgets what was said of `key`. */
export function remember(key, html) {
  problems.delete(key);
  for (const message of html.querySelectorAll("[data-key] .row-error")) {
    problems.set(message.closest("[data-key]").dataset.key, message.textContent);
  }
}

/** How to find a control again: by its id, or by its row and what it does. */
function placeOf(control) {
  return {
    id: control.id,
    key: control.closest("[data-key]")?.dataset.key,
    value: control.value,
    selection: control.selectionStart === undefined ? null : [control.selectionStart, control.selectionEnd],
  };
}

function found(place) {
  if (place.id) {
    return document.getElementById(place.id);
  }
  const home = place.key === undefined ? null : row(place.key);
  const controls = [...(home ?? part()).querySelectorAll("button:enabled, a[href], input")];
  return controls.find(({ value }) => value && value === place.value) ?? (home ? controls[0] : null);
}

/** What was typed, ticked or opened and is not sent yet, by what it belongs to. */
function unsent() {
  const fields = [...part().querySelectorAll("input[id], textarea[id], select[id]")];
  return {
    open: new Set([...part().querySelectorAll("details[open]")].map(({ id }) => id)),
    ticked: new Set([...part().querySelectorAll("input[name=user]:checked")].map(({ value }) => value)),
    boxes: new Map(fields.filter((field) => field.type === "checkbox" && field.checked !== field.defaultChecked).map((field) => [field.id, field.checked])),
    typed: new Map(fields.filter((field) => field.type !== "checkbox" && field.defaultValue !== undefined && field.value !== field.defaultValue).map((field) => [field.id, field.value])),
    chosen: new Map(fields.filter(({ tagName }) => tagName === "SELECT").map((field) => [field.id, field.value])),
  };
}

function restore({ open, ticked, boxes, typed, chosen }) {
  const set = (values, name) => values.forEach((value, id) => {
    const field = document.getElementById(id);
    if (field) {
      field[name] = value;
    }
  });
  part().querySelectorAll("details").forEach((details) => { details.open ||= open.has(details.id); });
  part().querySelectorAll("input[name=user]").forEach((box) => { box.checked = ticked.has(box.value); });
  set(boxes, "checked");
  set(typed, "value");
  set(chosen, "value");
}

function showProblems() {
  for (const [key, text] of problems) {
    const home = row(key);
    if (home && !home.querySelector(".row-error")) {
      const message = document.createElement("p");
      message.className = "problem row-error";
      message.textContent = text;
      (home.querySelector("td:has(.state)") ?? home).append(message);
    }
  }
}

/** Shows the part of `html`. What was typed stays unless its form was sent. */
export function swap(html, { keep = true } = {}) {
  const fresh = html.getElementById("admin-view");
  if (keep && fresh.isEqualNode(known)) {
    return;
  }
  const within = part().contains(document.activeElement);
  const focused = within && placeOf(document.activeElement);
  const state = unsent();
  if (!keep) {
    state.typed.clear();
    state.boxes.clear();
    state.chosen.clear();
  }
  part().replaceChildren(...document.importNode(fresh, true).childNodes);
  known = fresh.cloneNode(true);
  part().toggleAttribute("data-live", fresh.hasAttribute("data-live"));
  restore(state);
  showProblems();
  showTimes(part());
  if (within && !part().contains(document.activeElement)) {
    const target = found(focused);
    (target ?? document.getElementById("admin-outcome")).focus({ preventScroll: true });
    if (target && focused.selection?.[0] !== undefined && focused.selection?.[0] !== null) {
      target.setSelectionRange?.(...focused.selection);
    }
  }
  part().dispatchEvent(new Event("swapped", { bubbles: true }));
}

/** Looks at another address from now on: the same list, narrowed otherwise. */
export function lookAt(url) {
  address = url;
  history.replaceState(null, "", url);
  document.getElementById("act").action = url;
  return refresh();
}

/** Holds updates up while something is being done. */
export async function doing(action) {
  busy += 1;
  try {
    return await action();
  } finally {
    busy -= 1;
    plan();
  }
}

/** Brings the part up to date now. */
export async function refresh() {
  const asked = address;
  try {
    const answer = await request("GET", asked);
    clearTimeout(late);
    late = undefined;
    connection("");
    if (answer === null) {
      signedOut();
      return;
    }
    // another answer is on its way, or something has just been done
    if (asked === address && busy === 0) {
      swap(answer.html);
    }
  } catch {
    late ??= setTimeout(() => {
      connection(t("connection-lost"));
    }, PATIENCE_MS);
  }
  plan();
}

function plan() {
  clearTimeout(waiting);
  if (document.hidden || part().dataset.live === undefined) {
    return;
  }
  waiting = setTimeout(() => (busy ? plan() : refresh()), part().querySelector("[data-pending]") ? SOON_MS : LATER_MS);
}

/** Keeps the part up to date while somebody looks. */
export function keepFresh() {
  showTimes(part());
  document.addEventListener("visibilitychange", () => (document.hidden || part().dataset.live === undefined ? plan() : refresh()));
  addEventListener("pageshow", (event) => event.persisted && refresh());
  plan();
}
