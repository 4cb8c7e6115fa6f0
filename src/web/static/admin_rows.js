// The rows of one user in the list: one for each server, kept up to date while something is under way.

import { ask } from "./ask.js";
import { call, page } from "./api.js";
import { h, said, when } from "./dom.js";
import { showTimes } from "./times.js";
import { api, explain, may, tell, to } from "./admin_shell.js";

const LOOK_AGAIN_MS = 1000;
const WORDS = { spawn: "starting", stop: "stopping", check: "checking", rename: "renaming" };

const usersOf = new WeakMap();

/** The user whose rows these are. */
export function userOf(body) {
  return usersOf.get(body);
}

/** Whether a server runs or is about to change. */
export function active(server) {
  return Boolean(server?.ready || server?.pending);
}

function stateOf(server) {
  return WORDS[server.pending] ?? (server.ready ? "running" : "stopped");
}

/** The default server, of which the API may say nothing, then the others. */
function serversOf(user) {
  const { "": first, ...named } = user.servers ?? {};
  return [first ?? { name: "", ready: false, pending: null }, ...Object.values(named)];
}

/** A `tbody` for one user. Its method `act(method, name, body)` changes a server and shows what becomes of it. */
export function rowsOf(user, isShown) {
  const body = h("tbody", { "data-user": user.name });
  body.act = async (method, name, data) => {
    await call(method, serverApi(user.name, name), data);
    await refresh(body, isShown);
  };
  fill(body, user, isShown);
  return body;
}

function serverApi(user, server) {
  return server ? api("users", user, "servers", server) : api("users", user, "server");
}

async function refresh(body, isShown) {
  const url = `${api("users", userOf(body).name)}?include_stopped_servers=1`;
  const user = await (await call("GET", url)).json();
  if (isShown()) {
    fill(body, user, isShown);
  }
}

function fill(body, user, isShown) {
  const focused = body.contains(document.activeElement) ? document.activeElement.closest("tr")?.dataset.server : undefined;
  usersOf.set(body, user);
  const servers = serversOf(user);
  body.replaceChildren(...servers.map((server, index) => row(body, user, server, index === 0)));
  showTimes(body);
  if (focused !== undefined) {
    const again = [...body.rows].find(({ dataset }) => dataset.server === focused) ?? body.rows[0];
    again.querySelector("button:not(:disabled), a")?.focus();
  }
  if (servers.some(({ pending }) => pending)) {
    setTimeout(() => {
      if (isShown()) {
        refresh(body, isShown).catch(() => fill(body, user, isShown));
      }
    }, LOOK_AGAIN_MS);
  }
}

function row(body, user, server, isFirst) {
  const state = stateOf(server);
  const title = server.display_name && server.display_name !== server.name ? `${server.display_name} (${server.name})` : server.name;
  const cell = (label, ...children) => h("td", { role: "cell", "data-label": label }, ...children);
  return h("tr", { class: "user-row", role: "row", "data-server": server.name },
    h("th", { scope: "row", role: "rowheader" }, isFirst ? [user.name, user.admin ? h("span", { class: "quiet" }, " (admin)") : "", groupsOf(user)] : said(user.name)),
    title ? cell("Server", title) : h("td", { role: "cell", class: "of-default" }, said("Default server")),
    h("td", { role: "cell" }, h("span", { class: `state state-${state}` }, state), h("p", { class: "problem", role: "alert", hidden: true })),
    cell("Last activity", when(server.last_activity)),
    cell("Started", when(server.started)),
    h("td", { role: "cell" }, h("div", { class: "row-buttons" }, buttons(body, user, server))));
}

function groupsOf({ groups }) {
  return groups?.length ? h("ul", { class: "chips small", "aria-label": "Groups" }, groups.map((group) => h("li", {}, group))) : "";
}

function buttons(body, user, server) {
  const which = server.name ? `server ${server.name} of ${user.name}` : `server of ${user.name}`;
  const path = [user.name, server.name].filter(Boolean).map(encodeURIComponent).join("/");
  const press = (method, done, data) => async ({ target }) => {
    const place = target.closest("tr");
    const message = place.querySelector(".problem");
    place.setAttribute("aria-busy", "true");
    place.querySelectorAll("button").forEach((button) => { button.disabled = true; });
    try {
      await body.act(method, server.name, data);
      tell(`${which}: ${done}.`);
    } catch (error) {
      place.removeAttribute("aria-busy");
      place.querySelectorAll("button").forEach((button) => { button.disabled = false; });
      message.textContent = explain(error);
      message.hidden = false;
    }
  };
  const button = (name, action, isDanger) =>
    h("button", { type: "button", class: isDanger && "btn-danger", onclick: action }, name, said(which));
  const link = (name, href) => h("a", { class: "btn", role: "button", href }, name, said(which));
  return [
    server.pending === "spawn" && may("delete:servers") && button("Cancel", press("DELETE", "start cancelled"), true),
    server.pending && h("button", { type: "button", disabled: true }, `Pending: ${stateOf(server)}`),
    !active(server) && may("start:servers") && button("Start Server", press("POST", "start asked for")),
    server.ready && may("delete:servers") && button("Stop Server", press("DELETE", "stop asked for"), true),
    server.ready && may("access:servers") && link("Access Server", server.url),
    !active(server) && server.name && may("delete:servers") && button("Delete Server",
      () => ask({
        title: `Delete the ${which}?`, text: "Its name, its options and its shares will be gone. Files in the home directory stay.",
        button: "Delete", danger: true,
      }, async () => {
        await body.act("DELETE", server.name, { remove: true });
        tell(`${which}: deleted.`);
      }), true),
    !server.ready && may("servers", "start:servers") && link("Spawn Page", `${page.base_url}spawn/${path}`),
    !server.name && may("admin:users", "delete:users") && link("Edit User", to("/edit-user", { name: user.name })),
  ];
}
