// Adding users, and changing one.

import { ask } from "./ask.js";
import { call, page } from "./api.js";
import { h } from "./dom.js";
import { api, attempt, go, may, tell } from "./admin_shell.js";

/** A form that sends once, with a way back. */
export function form(title, fields, submit, action, more = []) {
  const button = h("button", { class: "btn-primary", type: "submit" }, submit);
  return [
    h("h2", {}, title),
    h("form", {
      onsubmit: (event) => {
        event.preventDefault();
        attempt(button, action);
      },
    }, fields, h("div", { class: "actions" }, button, " ", more)),
  ];
}

/** A way back to a list. */
export function back(path, title = "Back") {
  return h("a", { class: "btn", role: "button", href: `#${path}` }, title);
}

/** Names with spaces, commas or lines between them, each once. */
export function namesIn(text) {
  return [...new Set(text.split(/[\n,;]+/).map((name) => name.trim()).filter(Boolean))];
}

/** Adds many users at once. */
export async function addUsers(view) {
  const names = h("textarea", { id: "user-names", rows: 6, autofocus: true, "aria-describedby": "user-names-help" });
  const admin = h("input", { id: "users-admin", type: "checkbox" });
  const outcome = h("p", { role: "status" });
  const add = async () => {
    const usernames = namesIn(names.value);
    if (usernames.length === 0) {
      outcome.textContent = "Type at least one name.";
      names.focus();
      return;
    }
    const created = await (await call("POST", api("users"), { usernames, admin: admin.checked })).json();
    const made = new Set(created.map(({ name }) => name));
    outcome.textContent = made.size === usernames.length
      ? `Added: ${[...made].join(", ")}.`
      : `Added: ${[...made].join(", ")}. The others existed already.`;
    names.value = "";
  };
  view.replaceChildren(...form("Add users", [
    h("label", { for: "user-names" }, "User names"),
    names,
    h("p", { id: "user-names-help", class: "quiet" }, "One on each line, or with commas between them."),
    may("admin:users") && h("label", { class: "check" }, admin, "They are admins"),
    outcome,
  ], "Add Users", add, [back("/")]));
  names.focus();
}

/** Changes or deletes one user. */
export async function editUser(view, params) {
  const name = params.get("name") ?? "";
  if (!name) {
    go("/");
    return;
  }
  const user = await (await call("GET", api("users", name))).json();
  const newName = h("input", { id: "new-user-name", type: "text", value: user.name, autocomplete: "off", required: true });
  const admin = h("input", { id: "user-admin", type: "checkbox", checked: user.admin });
  const apply = async () => {
    const changes = {};
    if (newName.value.trim() !== user.name) {
      changes.name = newName.value.trim();
    }
    if (admin.checked !== user.admin) {
      changes.admin = admin.checked;
    }
    if (Object.keys(changes).length > 0) {
      await call("PATCH", api("users", name), changes);
      tell(`User ${name}: saved.`);
    }
    go("/");
  };
  const remove = h("button", {
    type: "button", class: "btn-danger", "data-testid": "delete-user",
    disabled: name === page.user,
    onclick: () => ask({
      title: `Delete the user ${name}?`, text: "All servers and tokens of the user will be gone, too. Files in the home directory stay.",
      button: "Delete", danger: true,
    }, async () => {
      await call("DELETE", api("users", name));
      tell(`User ${name}: deleted.`);
      go("/");
    }),
  }, "Delete user");
  view.replaceChildren(...form(`Edit user ${name}`, [
    h("label", { for: "new-user-name" }, "Name"),
    newName,
    h("label", { class: "check" }, admin, "Admin"),
    h("p", { class: "quiet" }, `Groups: ${user.groups?.join(", ") || "none"}. Roles: ${user.roles?.join(", ") || "none"}.`),
    may("delete:users") && name === page.user && h("p", { class: "quiet" }, "You cannot delete yourself; another administrator can."),
  ], "Apply", apply, [may("delete:users") && remove, " ", back("/")].filter(Boolean)));
}
