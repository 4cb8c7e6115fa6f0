// Whether this browser still has the session in which the page was opened, and what to say if it has not.

import { h } from "./dom.js";
import { page, t } from "./texts.js";

/** Who is signed in in this browser now; "" for nobody, undefined if the hub cannot be asked. */
async function signedIn() {
  try {
    const answer = await fetch(`${page.base_url}home/servers`, { redirect: "manual" });
    if (!answer.ok) {
      return answer.type === "opaqueredirect" ? "" : undefined;
    }
    const found = /data-user-api-url="[^"]*\/users\/([^"\/]+)"/.exec(await answer.text());
    return found ? decodeURIComponent(found[1]) : undefined;
  } catch {
    return undefined;
  }
}

/** Tells that the session has ended or is somebody else's now; false if it is as it was. */
export async function tellIfChanged() {
  const name = await signedIn();
  if (name === "") {
    signedOut();
  } else if (name !== undefined && name !== page.user) {
    otherAccount(name);
  } else {
    return false;
  }
  return true;
}

/**
 * Takes over the XSRF token that another tab has got meanwhile, for the page's forms too; false if there is none. Only for
 * who knows that it is still the same person's.
 */
export function renewToken() {
  const token = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  if (!token || token === page.xsrf_token) {
    return false;
  }
  page.xsrf_token = token;
  document.querySelectorAll("input[name=_xsrf]").forEach((field) => { field.value = token; });
  return true;
}

/** Asks to sign in, and comes back to this page afterwards. */
export function signedOut() {
  const next = encodeURIComponent(location.pathname + location.search);
  tell("signed-out", t("signed-out-title"),
    t("signed-out-text"),
    h("a", { class: "btn btn-primary", href: `${page.base_url}login?next=${next}` }, t("signed-out-again")));
}

/** Somebody else has signed in in another tab; what this page shows is not theirs. */
export function otherAccount(name) {
  tell("other-account", t("other-account-title"),
    t("other-account-text", { before: page.user, now: name }),
    h("a", { class: "btn btn-primary", href: `${page.base_url}home` }, t("other-account-go-on", { name })),
    h("a", { class: "btn", href: `${page.base_url}logout` }, t("other-account-sign-out")));
}

function tell(id, title, text, ...ways) {
  if (document.getElementById(id)) {
    return;
  }
  const dialog = h("dialog", { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), h("p", {}, text), h("div", { class: "actions" }, ...ways));
  document.body.append(dialog);
  dialog.showModal();
}
