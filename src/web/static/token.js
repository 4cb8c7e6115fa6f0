// The token page: making a token, showing it once, revoking. Without this script its forms do the same.

import { call } from "./api.js";
import { ask } from "./ask.js";
import { h, said, toast, when } from "./dom.js";
import { fetched } from "./part.js";
import { t } from "./texts.js";
import { showTimes } from "./times.js";

const { tokensApiUrl } = document.getElementById("request-token").dataset;
const form = document.getElementById("request-token-form");
const area = document.getElementById("token-area");
const result = document.getElementById("token-result");
const copied = document.getElementById("copy-status");
const scopesField = document.getElementById("token-scopes");
const problem = document.getElementById("token-scopes-error");

function wanted() {
  const value = (id) => document.getElementById(id).value.trim();
  const seconds = value("token-expiration-seconds");
  const ticked = [...form.querySelectorAll('[name="scope"]:checked')].map((box) => box.value);
  const scopes = [...new Set([...ticked, ...value("token-scopes").split(/[\s,]+/).filter(Boolean)])];
  return {
    note: value("token-note") || t("token-note-default"),
    expires_in: seconds ? Number(seconds) : null,
    ...(scopes.length ? { scopes } : {}),
  };
}

function rowOf(token) {
  const scopes = token.scopes.map((scope) => h("pre", { class: "token-scope" }, scope));
  const cell = (label, ...children) => h("td", { role: "cell", "data-label": label }, ...children);
  const row = h("tr", { class: "token-row", role: "row", "data-token-id": token.id, "data-name": token.note },
    h("th", { scope: "row", role: "rowheader" }, token.note),
    cell(t("token-column-permissions"), h("details", {}, h("summary", {}, t("token-scopes"), said(t("token-scopes-of", { name: token.note }))), scopes)),
    cell(t("token-column-used"), when(token.last_activity)),
    cell(t("token-column-created"), when(token.created)),
    cell(t("token-column-expires"), when(token.expires_at)),
    h("td", { role: "cell" }, h("form", { class: "inline revoke-form" },
      h("button", { class: "revoke-token-btn btn-danger btn-small", type: "submit" }, t("token-revoke"), said(token.note)))));
  return row;
}

function wrong(text) {
  problem.textContent = text;
  problem.hidden = !text;
  if (text) {
    scopesField.setAttribute("aria-invalid", "true");
    scopesField.focus();
  } else {
    scopesField.removeAttribute("aria-invalid");
  }
}

/** Shows how many tokens there are of each kind now. */
async function recount() {
  const shown = document.getElementById("token-choices");
  const fresh = shown && await fetched(location.href, shown.id).catch(() => null); // a count that stays old harms nobody
  if (fresh) {
    shown.replaceChildren(...fresh.childNodes);
  }
}

let sending = false;
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (sending) {
    return;
  }
  sending = true;
  const button = form.querySelector('[type="submit"]');
  button.disabled = true;
  wrong("");
  try {
    const token = await (await call("POST", tokensApiUrl, wanted())).json();
    result.textContent = token.token;
    copied.textContent = "";
    area.hidden = false;
    area.focus();
    const row = rowOf(token);
    document.getElementById("api-tokens").prepend(row);
    for (const list of [document.getElementById("api-tokens-section"), row.closest(".table-scroller")]) {
      list.hidden = false;
    }
    showTimes(row);
    recount();
  } catch (error) {
    wrong(error.reason ?? error.message);
  } finally {
    sending = false;
    button.disabled = false;
  }
});

document.getElementById("copy-token").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(result.textContent);
    copied.textContent = t("token-copied");
  } catch {
    getSelection().selectAllChildren(result); // no access to the clipboard: plain HTTP, or forbidden
    copied.textContent = t("token-selected");
  }
});

/** What is lost with it, in words. */
function consequence({ ofServer, ofClient }) {
  if (ofServer !== undefined) {
    return t("token-revoke-server");
  }
  if (ofClient !== undefined) {
    return t("token-revoke-application");
  }
  return t("token-revoke-other");
}

async function revoke(row) {
  await call("DELETE", `${tokensApiUrl}/${row.dataset.tokenId}`);
  const next = row.nextElementSibling ?? row.previousElementSibling;
  const section = row.closest("section");
  row.remove();
  section.hidden = !section.querySelector(".token-row, nav");
  recount();
  toast(t("token-revoked", { name: row.dataset.name }));
  (next?.querySelector(".revoke-token-btn") ?? document.getElementById("main")).focus();
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".revoke-form")) {
    return;
  }
  event.preventDefault();
  const row = event.target.closest(".token-row");
  ask({ title: t("token-revoke-title", { name: row.dataset.name }), text: consequence(row.dataset), button: t("token-revoke"), danger: true }, () => revoke(row));
});

document.getElementById("token-filter")?.addEventListener("input", (event) => {
  const text = event.target.value.toLowerCase();
  for (const row of document.querySelectorAll("#api-tokens .token-row")) {
    row.hidden = !row.dataset.name.toLowerCase().includes(text);
  }
});

if (result.textContent) {
  area.focus();
}
