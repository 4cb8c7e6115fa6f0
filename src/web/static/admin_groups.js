// Groups: the list, a new one, members and properties of one.

import { ask } from "./ask.js";
import { call } from "./api.js";
import { h, said } from "./dom.js";
import { api, facts, go, list, may, tell, to } from "./admin_shell.js";
import { back, form, namesIn } from "./admin_user.js";
import { pages } from "./admin_users.js";

/** The groups' view. */
export async function groups(view, params, isShown) {
  const wanted = {
    offset: Math.max(0, Number(params.get("offset")) || 0),
    limit: Math.max(1, Number(params.get("limit")) || facts.api_page_limit),
  };
  const found = await list(api("groups"), wanted);
  if (!isShown()) {
    return;
  }
  const entry = (group) => h("li", {},
    h("a", { href: to("/group-edit", { name: group.name }) }, group.name), " ",
    h("span", { class: "quiet" }, group.users ? `${group.users.length} members` : ""));
  view.replaceChildren(
    h("h2", {}, "Groups"),
    found.items.length > 0 ? h("ul", {}, found.items.map(entry)) : h("p", {}, "There are no groups yet."),
    pages(wanted, found, "/groups"),
    h("div", { class: "actions" },
      may("admin:groups") && h("a", { class: "btn btn-primary", role: "button", href: "#/create-group" }, "New Group"), " ",
      back("/", "Back to users")));
}

/** A new group. */
export async function createGroup(view) {
  const name = h("input", { id: "group-name", type: "text", required: true, autocomplete: "off" });
  const create = async () => {
    await call("POST", api("groups", name.value.trim()));
    tell(`Group ${name.value.trim()}: created.`);
    go("/group-edit", { name: name.value.trim() });
  };
  view.replaceChildren(...form("New group", [h("label", { for: "group-name" }, "Name"), name], "Create", create, [back("/groups")]));
  name.focus();
}

/** A property's value as it is typed: text, or JSON if it is something else. */
const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function propertyRow(key = "", value = "") {
  const row = h("tr", {},
    h("td", {}, h("input", { type: "text", "aria-label": "Property", value: key })),
    h("td", {}, h("input", { type: "text", "aria-label": `Value${key ? ` of ${key}` : ""}`, value: shown(value) })),
    h("td", {}, h("button", { type: "button", onclick: () => row.remove() }, "remove", said(`property ${key}`))));
  row.original = value;
  return row;
}

function propertiesIn(table) {
  const entries = [...table.rows].map((row) => {
    const [key, value] = [...row.querySelectorAll("input")].map((input) => input.value.trim());
    return [key, value === shown(row.original) ? row.original : value];
  }).filter(([key]) => key);
  if (new Set(entries.map(([key]) => key)).size < entries.length) {
    throw new Error("Two properties have the same name.");
  }
  return Object.fromEntries(entries);
}

/** Members and properties of a group. */
export async function editGroup(view, params) {
  const name = params.get("name") ?? "";
  if (!name) {
    go("/groups");
    return;
  }
  const group = await (await call("GET", api("groups", name))).json();
  const before = new Set(group.users);
  const members = h("ul", { class: "chips", "aria-label": "Members" });
  const member = (user) => h("li", { "data-user": user },
    h("label", { class: "check" }, h("input", { type: "checkbox", checked: true, value: user }), user));
  members.append(...[...before].map(member));
  const added = h("input", { id: "added-users", type: "text", autocomplete: "off", "aria-describedby": "added-users-help" });
  const table = h("tbody", {}, Object.entries(group.properties ?? {}).map(([key, value]) => propertyRow(key, value)));
  const outcome = h("p", { role: "status" });

  const apply = async () => {
    const kept = new Set([...members.querySelectorAll("input:checked")].map(({ value }) => value));
    const joining = namesIn(added.value).filter((user) => !before.has(user));
    const leaving = [...before].filter((user) => !kept.has(user));
    const properties = propertiesIn(table);
    if (joining.length > 0) {
      await call("POST", api("groups", name, "users"), { users: joining });
    }
    if (leaving.length > 0) {
      await call("DELETE", api("groups", name, "users"), { users: leaving });
    }
    if (JSON.stringify(properties) !== JSON.stringify(group.properties ?? {})) {
      await call("PUT", api("groups", name, "properties"), properties);
    }
    await editGroup(view, params);
    view.querySelector("[role=status]").textContent = "Saved.";
  };
  const remove = h("button", {
    type: "button", class: "btn-danger",
    onclick: () => ask({
      title: `Delete the group ${name}?`, text: `Its ${before.size} members lose what it gives them.`, button: "Delete", danger: true,
    }, async () => {
      await call("DELETE", api("groups", name));
      tell(`Group ${name}: deleted.`);
      go("/groups");
    }),
  }, "Delete Group");
  view.replaceChildren(...form(`Group ${name}`, [
    h("h3", {}, "Members"),
    before.size > 0 ? members : h("p", {}, "Nobody yet."),
    h("label", { for: "added-users" }, "Add users"),
    added,
    h("p", { id: "added-users-help", class: "quiet" }, "Names with commas between them. Unticked members leave when you apply."),
    h("h3", {}, "Properties"),
    h("table", {}, h("thead", {}, h("tr", {}, ["Property", "Value", "Actions"].map((title) => h("th", { scope: "col" }, title)))), table),
    h("button", { type: "button", onclick: () => table.append(propertyRow()) }, "Add property"),
    outcome,
  ], "Apply", apply, [may("delete:groups") && remove, " ", back("/groups")].filter(Boolean)));
}
