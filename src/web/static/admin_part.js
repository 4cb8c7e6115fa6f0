// The part of an administration page that changes: fetched again when the hub says that there is something new, without
// taking away what the visitor is doing in it. The hub alone decides what things look like.

import { page } from "./api.js";
import { h } from "./dom.js";
import { released } from "./part.js";
import { Part } from "./patch.js";
import { otherAccount, signedOut } from "./session.js";
import { connection, Stream } from "./stream.js";
import { t } from "./texts.js";
import { showTimes } from "./times.js";

const part = () => document.getElementById("admin-view");
const problems = new Map(); // what went wrong last, by row: an update must not take it away
const shown = new Part(part());
let address = location.href;
let done = 0;
let stream;

/** The page is not to be had any more; `told` where a dialog says why. */
class Refused extends Error {
  constructor(message, { status = 0, told = false }) {
    super(message);
    Object.assign(this, { status, told });
  }
}

/** Whose page it is; "" for nobody's, or no page of ours. */
function ownerOf(html) {
  try {
    return JSON.parse(html.getElementById("jhdata").textContent).user ?? "";
  } catch {
    return "";
  }
}

/** Sends a request for a page; gives its document, or null for who is signed out. */
export function request(method, url, body) {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest();
    asked.open(method, url);
    asked.responseType = "document";
    if (method === "GET") {
      asked.setRequestHeader("X-Orrery-Refresh", "1"); // nobody is there because a page looks
    }
    asked.addEventListener("load", () => {
      const html = asked.response;
      const owner = ownerOf(html);
      const { status } = asked;
      if (owner && owner !== page.user) {
        otherAccount(owner);
        reject(new Refused("", { status, told: true }));
      } else if (html?.getElementById("admin-view")) {
        resolve({ html, url: asked.responseURL });
      } else if (asked.responseURL.includes("/login") || (status === 403 && !owner)) {
        resolve(null);
      } else {
        reject(new Refused(html?.querySelector("main p:not(.quiet)")?.textContent.trim() || t("api-answered", { status }), { status }));
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

/** Says in a row what went wrong there; it stays until something else is done there. */
export function complain(key, text) {
  problems.set(key, text);
  showProblems("alert");
}

function showProblems(role) {
  part().querySelectorAll(".row-error[data-told]").forEach((message) => message.remove());
  for (const [key, text] of problems) {
    const home = row(key);
    if (home && !home.querySelector(".row-error")) {
      (home.querySelector("td:has(.state)") ?? home).append(h("p", { class: "problem row-error", "data-told": true, role }, text));
    }
  }
}

/** Shows something until the hub shows it otherwise. */
export function pretend(element, how) {
  shown.change(element, how);
}

/** Another control in place of one that is gone: one that does the same, or the first one of its row. */
function instead(gone, key) {
  const home = key === undefined ? null : row(key);
  const controls = [...(home ?? part()).querySelectorAll("button:enabled, a[href], input")];
  return controls.find(({ value }) => value && value === gone.value) ?? (home ? controls[0] : null);
}

/** What was entered and is sent, or given up. Ticks stay: what is done to those who are ticked is up to them. */
function forgetEntries() {
  for (const field of part().querySelectorAll("input:not([name=user]), textarea")) {
    [field.value, field.checked] = [field.defaultValue, field.defaultChecked];
  }
  for (const option of part().querySelectorAll("option")) {
    option.selected = option.defaultSelected;
  }
}

/** Shows the part of `html`. What was typed stays unless its form was sent. */
export function swap(html, { keep = true } = {}) {
  const { activeElement: focused } = document;
  const within = part().contains(focused);
  const key = within ? focused.closest("[data-key]")?.dataset.key : undefined;
  const selection = within && focused.selectionStart !== null ? [focused.selectionStart, focused.selectionEnd] : [];
  shown.show(html.getElementById("admin-view"));
  if (!keep) {
    forgetEntries();
  }
  showProblems();
  showTimes(part());
  if (within && document.activeElement !== focused) {
    const stays = part().contains(focused);
    const target = stays ? focused : instead(focused, key) ?? document.getElementById("admin-outcome");
    target.focus({ preventScroll: true });
    if (stays && selection[0] !== undefined) {
      focused.setSelectionRange?.(...selection);
    }
  }
  part().dispatchEvent(new Event("swapped", { bubbles: true }));
}

/** Whether the browser is where it was: the link to the main part only adds its name to the address. */
export function isHere() {
  const [shown, here] = [address, location.href].map((url) => new URL(url, location.href).href.split("#")[0]);
  return shown === here;
}

/** Looks at another address from now on: the same list, narrowed otherwise. */
export function lookAt(url) {
  address = url;
  history.replaceState(null, "", url);
  document.getElementById("act").action = url;
  stream?.reopen();
  return refresh(true).catch(() => {}); // the stream's matter
}

/** Does something that makes older answers wrong. */
export async function doing(action) {
  try {
    return await action();
  } finally {
    done += 1;
  }
}

/** Whether the part is one to keep up to date: what came of a form is not taken away. */
const isLive = () => part().dataset.live !== undefined;

/** Brings the part up to date now; `anyway` even if it shows what came of a form. */
async function refresh(anyway = false) {
  const [asked, before] = [address, done];
  let answer;
  try {
    answer = await request("GET", asked);
    await released();
  } catch (error) {
    if (error.told || [403, 404].includes(error.status)) {
      stream?.end();
      connection(error.message);
      return;
    }
    throw error;
  }
  if (answer === null) {
    stream?.end();
    signedOut();
  } else if (asked !== address || !(anyway || isLive())) {
    // another answer is on its way, or has come meanwhile
  } else if (before !== done) {
    await refresh(anyway); // it may be from before
  } else {
    swap(answer.html);
  }
}

/** Where the page at the present address is told of changes. */
function events() {
  const { pathname, search } = new URL(address);
  const start = `${page.base_url}admin`;
  return `${start}/events${pathname.slice(start.length)}${search}`;
}

/** Keeps the part up to date while somebody looks. */
export function keepFresh() {
  showTimes(part());
  if (!isLive()) {
    return;
  }
  stream = new Stream(events, async (version) => {
    if (isLive() && part().dataset.version !== version) {
      await refresh();
    }
  });
}
