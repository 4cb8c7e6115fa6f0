// Users and their servers: search, sort, pages, start and stop.

import { ask } from "./ask.js";
import { call } from "./api.js";
import { h } from "./dom.js";
import { showTimes } from "./times.js";
import { api, attempt, facts, go, list, may, tell, to } from "./admin_shell.js";
import { active, rowsOf, userOf } from "./admin_rows.js";

const TYPING_MS = 300;

/** The arguments of the view: what the API is asked for. */
function read(params) {
  return {
    offset: Math.max(0, Number(params.get("offset")) || 0),
    limit: Math.max(1, Number(params.get("limit")) || facts.api_page_limit),
    name_filter: params.get("name_filter") ?? "",
    state: params.get("state") === "active" ? "active" : "",
    sort: params.get("sort") ?? "",
  };
}

/** Goes to other arguments; the usual ones stay out of the address. */
function change(wanted, other) {
  const all = { ...wanted, ...other };
  go("/", {
    ...all,
    offset: all.offset || "",
    limit: all.limit === facts.api_page_limit ? "" : all.limit,
  });
}

/** The users' view. */
export async function users(view, params, isShown) {
  const wanted = read(params);
  const found = await list(api("users"), { ...wanted, include_stopped_servers: 1 });
  if (!isShown()) {
    return;
  }
  if (found.items.length === 0 && wanted.offset > 0) {
    change(wanted, { offset: 0 });
    return;
  }
  const bodies = found.items.map((user) => rowsOf(user, isShown));
  view.replaceChildren(
    toolbar(wanted, bodies),
    found.items.length === 0 ? h("p", { class: "empty" }, "No user matches.") : h("div", { class: "table-scroller" },
      h("table", { class: "stacks", role: "table" }, h("caption", { class: "visually-hidden" }, "Users and servers"), head(wanted), bodies)),
    pages(wanted, found),
  );
  showTimes(view);
  restoreFocus(view);
}

let focused = null;

/** Typing changes the address, which draws the view anew: the field stays the one that is typed into. */
function restoreFocus(view) {
  const field = focused && view.querySelector(`#${focused}`);
  focused = null;
  if (field) {
    field.focus();
    field.setSelectionRange?.(field.value.length, field.value.length);
  }
}

function search(wanted) {
  let typing;
  return h("div", { class: "field" }, h("label", { for: "user-search" }, "Search users"),
    h("input", {
      id: "user-search", name: "user_search", type: "search", value: wanted.name_filter, autocomplete: "off",
      oninput: ({ target }) => {
        clearTimeout(typing);
        typing = setTimeout(() => {
          focused = target.id;
          change(wanted, { name_filter: target.value.trim(), offset: 0 });
        }, TYPING_MS);
      },
    }));
}

function toolbar(wanted, bodies) {
  const only = h("input", {
    id: "active-servers-filter", type: "checkbox", checked: wanted.state === "active",
    onchange: ({ target }) => {
      focused = target.id;
      change(wanted, { state: target.checked ? "active" : "", offset: 0 });
    },
  });
  return h("div", { class: "toolbar" },
    search(wanted),
    h("label", { class: "check" }, only, "Only active servers"),
    may("admin:users") && h("a", { class: "btn", role: "button", href: "#/add-users" }, "Add Users"),
    may("list:groups", "read:groups") && h("a", { class: "btn", role: "button", href: "#/groups" }, "Manage Groups"),
    may("start:servers") && h("button", { type: "button", "data-testid": "start-all", onclick: (event) => startAll(event.target, bodies) }, "Start All"),
    may("delete:servers") && h("button", { type: "button", class: "btn-danger", "data-testid": "stop-all", onclick: (event) => stopAll(event.target, bodies) }, "Stop All"),
    may("shutdown") && h("button", { type: "button", class: "btn-danger", id: "shutdown-button", onclick: (event) => shutDown(event.target) }, "Shutdown Hub"));
}

/** Sends one request for each of `places`, and tells how many failed. */
async function all(button, places, verb, send) {
  await attempt(button, async () => {
    const results = await Promise.allSettled(places.map(send));
    const failed = results.filter(({ status }) => status === "rejected");
    tell(`${places.length - failed.length} of ${places.length} servers: ${verb} asked for.`);
    if (failed.length > 0) {
      throw new Error(`${failed.length} of ${places.length} requests failed. The first: ${failed[0].reason.message}`);
    }
  });
}

function startAll(button, bodies) {
  const stopped = bodies.filter((body) => !active(userOf(body).servers?.[""]));
  return all(button, stopped, "start", (body) => body.act("POST", ""));
}

function stopAll(button, bodies) {
  const running = bodies.flatMap((body) =>
    Object.values(userOf(body).servers ?? {}).filter(active).map((server) => [body, server.name]));
  if (running.length === 0) {
    tell("No server of the users on this page runs.");
    return;
  }
  ask({
    title: `Stop ${running.length} servers?`, text: "They belong to the users on this page. What is not saved in them is lost.",
    button: "Stop them", danger: true,
  }, async () => { all(button, running, "stop", ([body, name]) => body.act("DELETE", name)); });
}

function shutDown(button) {
  const dialog = document.getElementById("shutdown-dialog");
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "shutdown") {
      return;
    }
    attempt(button, async () => {
      const checked = (id) => document.getElementById(id).checked;
      await call("POST", api("shutdown"), { servers: checked("shutdown-servers"), proxy: checked("shutdown-proxy") });
      document.getElementById("admin-view").replaceChildren(
        h("p", { role: "status" }, "The hub is shutting down. This page works again when it has been started."));
    });
  }, { once: true });
  dialog.showModal();
}

function head(wanted) {
  const sortable = (key, title) => {
    const current = wanted.sort === key ? "ascending" : wanted.sort === `-${key}` ? "descending" : null;
    const next = current === "ascending" ? `-${key}` : current === "descending" ? "" : key;
    const mark = { ascending: " ▲", descending: " ▼" }[current] ?? "";
    const press = () => {
      focused = `sort-${key}`;
      change(wanted, { sort: next, offset: 0 });
    };
    return h("th", { scope: "col", role: "columnheader", "aria-sort": current ?? "none" },
      h("button", { id: `sort-${key}`, class: "sort", type: "button", onclick: press }, title, h("span", { "aria-hidden": "true" }, mark)));
  };
  return h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
    sortable("name", "User"),
    h("th", { scope: "col", role: "columnheader" }, "Server"),
    h("th", { scope: "col", role: "columnheader" }, "State"),
    sortable("last_activity", "Last activity"),
    h("th", { scope: "col", role: "columnheader" }, "Started"),
    h("th", { scope: "col", role: "columnheader" }, "Actions")));
}

/** The footer of a list: which part is shown, the way to the others, how many at once. */
export function pages(wanted, found, path = "/") {
  const { offset, limit, total } = found._pagination;
  const at = (other) => to(path, { ...wanted, ...other, offset: other.offset || "" });
  const step = (title, id, target, possible) => possible
    ? h("a", { class: "btn", role: "button", "data-testid": id, href: at({ offset: target }) }, title)
    : h("button", { type: "button", "data-testid": id, disabled: true }, title);
  const last = offset + found.items.length;
  return h("div", { class: "toolbar" },
    h("p", {}, `Displaying ${last > 0 ? offset + 1 : 0}-${last} of ${total}`),
    step("Previous", "paginate-prev", Math.max(0, offset - limit), offset > 0),
    step("Next", "paginate-next", offset + limit, last < total),
    h("label", {}, "Items per page", h("input", {
      id: "items-per-page", type: "number", min: 1, max: facts.api_page_max_limit, value: limit,
      onchange: ({ target }) => {
        location.hash = at({ limit: Math.max(1, Number(target.value) || facts.api_page_limit), offset: 0 });
      },
    })));
}

