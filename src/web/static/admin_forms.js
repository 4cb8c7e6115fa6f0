// Forms of administration pages: sent once, without leaving the page; what came of it is shown where it happened.

import { page } from "./api.js";
import { ask } from "./ask.js";
import { h } from "./dom.js";
import { renewToken, signedOut } from "./session.js";
import { t } from "./texts.js";
import { complain, doing, isHere, lookAt, pretend, remember, request, row, swap } from "./admin_part.js";

const TYPING_MS = 300;
const busy = new Set();

/** Says what was done, to screen readers too. */
export function tell(text) {
  document.getElementById("admin-status").textContent = text;
}

function outcome(...children) {
  document.getElementById("admin-outcome").replaceChildren(...children);
}

function wrong(message) {
  const text = h("p", { class: "problem row-error", role: "alert" }, message);
  outcome(text);
  text.scrollIntoView({ block: "nearest" });
}

function shown(html, key) {
  const came = html.getElementById("admin-outcome");
  const at = key !== undefined && !came.querySelector("p");
  const told = [...(at ? html : came).querySelectorAll("[role=status]")].map((text) => text.textContent.trim()).find(Boolean);
  outcome(...document.importNode(came, true).childNodes);
  if (told) {
    tell(told);
  }
  const wrong = document.querySelector("#admin-outcome .problem");
  wrong?.scrollIntoView({ block: "nearest" });
  document.querySelector("#admin-view [aria-invalid=true]")?.focus();
}

/** Sends a form and shows the page's answer. Two presses send it once. */
async function send(form, submitter, more = {}) {
  const home = submitter?.closest("[data-key]");
  const key = home?.dataset.key ?? form.id;
  if (busy.has(key)) {
    return;
  }
  busy.add(key);
  home?.setAttribute("aria-busy", "true");
  // not disabled, which would lose the focus
  const buttons = [...(home ?? form).querySelectorAll("button")];
  buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
  home?.querySelector(".row-error")?.remove();
  outcome();
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) {
    body.set(submitter.name, submitter.value);
  }
  Object.entries(more).forEach(([name, value]) => body.set(name, value));
  // a start takes its time: what it does meanwhile is looked at as always
  const later = home && setTimeout(() => peek(home.dataset.key), 600);
  const post = () => doing(() => request("POST", form.action, body));
  try {
    const answer = await post().catch((error) => {
      if (error.status !== 403 || error.told || !renewToken()) {
        throw error;
      }
      body.set("_xsrf", page.xsrf_token);
      return post();
    });
    if (answer === null) {
      signedOut();
      return;
    }
    if (new URL(answer.url).pathname !== new URL(form.action, location.href).pathname) {
      location.assign(answer.url);
      return;
    }
    remember(key, answer.html);
    swap(answer.html, { keep: home !== null && home !== undefined });
    document.title = answer.html.title;
    shown(answer.html, home && key);
  } catch (error) {
    if (error.told) {
      return;
    }
    if (home) {
      complain(key, error.message);
    } else {
      wrong(error.message);
    }
  } finally {
    clearTimeout(later);
    busy.delete(key);
    for (const button of [...buttons, ...(row(key)?.querySelectorAll("button") ?? [])]) {
      button.removeAttribute("aria-disabled");
    }
    home?.removeAttribute("aria-busy");
    row(key)?.removeAttribute("aria-busy");
  }
}

/** Shows in the row of a server that it is on its way before the answer comes. */
function peek(key) {
  const badge = row(key)?.querySelector(".state");
  const now = [...(badge?.classList ?? [])].find((name) => name.startsWith("state-"));
  const next = { "state-stopped": "starting", "state-failed": "starting", "state-running": "stopping" }[now];
  if (next) {
    pretend(badge, (state) => {
      state.className = `state state-${next}`;
      state.firstChild.data = t(`state-${next}`);
    });
  }
}

function question(button) {
  return new Promise((resolve) => {
    const dialog = document.getElementById("ask-dialog");
    let sure = false;
    ask({ title: button.dataset.ask, text: button.dataset.askText, button: t("server-delete"), danger: true }, () => { sure = true; });
    dialog.addEventListener("close", () => resolve(sure), { once: true });
  });
}

async function submitted(event) {
  const { target: form, submitter } = event;
  if (!form.closest("main") || form.closest("dialog") || form.id === "bulk" || form.id === "bulk-run") {
    return;
  }
  if (form.id === "filter") {
    event.preventDefault();
    narrow(form);
    return;
  }
  if (form.method !== "post" || form.id === "shutdown") {
    return;
  }
  event.preventDefault();
  if (submitter?.dataset.ask) {
    if (await question(submitter)) {
      send(form, submitter, { sure: "1" });
    }
    return;
  }
  send(form, submitter);
}

/** The same list, narrowed as the form says. */
function narrow(form) {
  const url = new URL(form.getAttribute("action") ?? location.pathname, location.href);
  for (const [name, value] of new FormData(form)) {
    const field = form.elements[name];
    if (value && !(name === "limit" && value === field.defaultValue && !new URLSearchParams(location.search).has("limit"))) {
      url.searchParams.set(name, value);
    }
  }
  if (url.href !== location.href) {
    lookAt(url.href).then(() => {
      const count = document.getElementById("shown")?.textContent ?? document.querySelector("#admin-view .empty")?.textContent;
      tell(count?.trim() ?? "");
    });
  }
}

/** Watches the page's forms. */
export function watchForms() {
  document.addEventListener("submit", submitted);
  let typing;
  const changed = ({ target }) => {
    if (target.form?.id === "filter") {
      clearTimeout(typing);
      typing = setTimeout(() => {
        const form = document.getElementById("filter"); // the part may have been drawn anew
        if (form) {
          narrow(form);
        }
      }, TYPING_MS);
    }
  };
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  addEventListener("popstate", () => isHere() || location.reload());
}
