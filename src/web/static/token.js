// The token page: making a token, showing it once, revoking.

import { call, showError } from "./api.js";
import { h, said, when } from "./dom.js";
import { showTimes } from "./times.js";

const { tokensApiUrl } = document.getElementById("request-token").dataset;
const form = document.getElementById("request-token-form");
const area = document.getElementById("token-area");
const result = document.getElementById("token-result");
const copied = document.getElementById("copy-status");

function wanted() {
  const value = (id) => document.getElementById(id).value.trim();
  const seconds = value("token-expiration-seconds");
  const scopes = value("token-scopes").split(/[\s,]+/).filter(Boolean);
  return {
    note: value("token-note") || "Requested on the token page",
    expires_in: seconds ? Number(seconds) : null,
    ...(scopes.length ? { scopes } : {}),
  };
}

function rowOf(token) {
  const scopes = token.scopes.map((scope) => h("pre", { class: "token-scope" }, scope));
  const row = h("tr", { class: "token-row", "data-token-id": token.id, "data-name": token.note },
    h("th", { scope: "row" }, token.note),
    h("td", {}, h("details", {}, h("summary", {}, "Scopes", said(`of ${token.note}`)), scopes)),
    h("td", {}, when(token.last_activity)),
    h("td", {}, when(token.created)),
    h("td", {}, when(token.expires_at)),
    h("td", {}, h("button", { class: "revoke-token-btn btn-danger", type: "button" }, "revoke", said(token.note))));
  prepareRow(row);
  return row;
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
  try {
    const token = await (await call("POST", tokensApiUrl, wanted())).json();
    result.textContent = token.token;
    copied.textContent = "";
    area.hidden = false;
    area.focus();
    const row = rowOf(token);
    document.getElementById("api-tokens").prepend(row);
    document.getElementById("api-tokens-section").hidden = false;
    showTimes(row);
  } catch (error) {
    showError(error);
  } finally {
    sending = false;
    button.disabled = false;
  }
});

document.getElementById("copy-token").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(result.textContent);
    copied.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(result); // no access to the clipboard: plain HTTP, or forbidden
    copied.textContent = "Selected; press Ctrl+C to copy.";
  }
});

function prepareRow(row) {
  const button = row.querySelector(".revoke-token-btn");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await call("DELETE", `${tokensApiUrl}/${row.dataset.tokenId}`);
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (next?.querySelector(".revoke-token-btn") ?? document.getElementById("main")).focus();
    } catch (error) {
      button.disabled = false;
      showError(error);
    }
  });
}

document.querySelectorAll(".token-row").forEach(prepareRow);
