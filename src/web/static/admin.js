// The administration pages. They are whole without this: scripts send the same forms without leaving the page, keep what
// is shown up to date, and ask in a dialog instead of on a page.

import { page } from "./api.js";
import { watchForms } from "./admin_forms.js";
import { keepFresh } from "./admin_part.js";
import { watchSelection, watchRun } from "./admin_bulk.js";

/** Addresses of former versions and of the reference had the view behind `#`. */
function moved() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  const params = new URLSearchParams(query);
  const name = encodeURIComponent(params.get("name") ?? "");
  const places = {
    "/": `admin?${params}`,
    "/add-users": "admin/add-users",
    "/edit-user": name ? `admin/users/${name}` : "admin",
    "/groups": "admin/groups",
    "/create-group": "admin/groups",
    "/group-edit": name ? `admin/groups/${name}` : "admin/groups",
  };
  return path && places[path] && page.base_url + places[path];
}

const elsewhere = moved();
if (elsewhere) {
  location.replace(elsewhere);
} else {
  watchForms();
  watchSelection();
  watchRun();
  keepFresh();
}
