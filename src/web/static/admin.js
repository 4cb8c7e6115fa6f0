// The admin page: shows the view that the address behind `#` names.

import { h } from "./dom.js";
import { place, problem } from "./admin_shell.js";
import { addUsers, editUser } from "./admin_user.js";
import { users } from "./admin_users.js";
import { createGroup, editGroup, groups } from "./admin_groups.js";

const VIEWS = {
  "/": users,
  "/add-users": addUsers,
  "/edit-user": editUser,
  "/groups": groups,
  "/create-group": createGroup,
  "/group-edit": editGroup,
};
const mount = document.getElementById("admin-view");
let latest = 0;

/** A view gets its arguments, a place to fill and a way to ask whether it is still looked at. */
async function show() {
  const { path, params } = place();
  const turn = ++latest;
  const isShown = () => turn === latest;
  const view = h("div", { "aria-busy": "true" }, h("p", {}, "Loading…"));
  problem();
  mount.replaceChildren(view);
  try {
    await (VIEWS[path] ?? users)(view, params, isShown);
  } catch (error) {
    if (isShown()) {
      view.replaceChildren(h("p", {}, "This could not be loaded. ", h("a", { href: "#/" }, "Back to users")));
      problem(error);
    }
  }
  view.removeAttribute("aria-busy");
}

addEventListener("hashchange", show);
show();
