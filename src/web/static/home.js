// The home page: what happens to servers shows while it happens, and everything can be done without leaving the page.

import { ask } from "./ask.js";
import { call, page } from "./api.js";
import { h, said, toast } from "./dom.js";
import { Live } from "./live.js";
import { displayName, slug } from "./names.js";
import { t } from "./texts.js";
import { countDown } from "./retry.js";

const part = () => document.getElementById("servers-part");
const { userApiUrl } = part().dataset;
const busy = new Set();
const problems = new Map(); // what went wrong last, by the API address of the server

const live = new Live("servers-part", `${page.base_url}home/events`, `${page.base_url}home/servers`, tell);

/** Says what became of a server, and that there is a message; the list itself is silent. */
function tell(old, item) {
  if (item.matches(".message")) {
    if (old) {
      return;
    }
    document.getElementById("home-status").textContent = t("home-message", { text: item.querySelector(".message-text").textContent });
    return;
  }
  const { state, displayName: name, serverName } = item.dataset;
  showProblem(item);
  if (serverName !== undefined && old && old.dataset.state !== state) {
    document.getElementById("home-status").textContent = t("home-now", { name, state: t(`state-${state}`) });
  }
}

const keyOf = (card) => card.dataset.apiUrl ?? card.dataset.leaveUrl;

/** Does something to the server of a card, once at a time; what goes wrong is told there. */
async function act(card, action) {
  const key = keyOf(card);
  if (busy.has(key)) {
    return;
  }
  busy.add(key);
  problems.delete(key);
  card.setAttribute("aria-busy", "true");
  // not disabled, which would lose the focus
  card.querySelectorAll("button").forEach((button) => button.setAttribute("aria-disabled", "true"));
  showProblem(card);
  try {
    await action();
  } catch (error) {
    if (!error.told) {
      const from = error.retryAfter ? Date.now() + error.retryAfter * 1000 : 0;
      problems.set(key, { text: error.reason ?? error.message, action, from });
      showProblem(card);
    }
  } finally {
    busy.delete(key);
    card.removeAttribute("aria-busy");
    card.querySelectorAll("button").forEach((button) => button.removeAttribute("aria-disabled"));
    showAdding();
    await live.refresh().catch(() => {});
  }
}

/** What went wrong stays at the card, also when the card is drawn anew, until something else is done there. */
function showProblem(card) {
  const problem = problems.get(keyOf(card));
  card.querySelector(".row-error")?.remove();
  if (problem) {
    const again = h("button", { type: "button", class: "btn-small", onclick: () => act(card, problem.action) },
      t("try-again"), said(card.dataset.displayName));
    countDown(again, problem.from);
    card.append(h("div", { class: "row-error" }, h("p", { class: "problem", role: "alert" }, problem.text), again));
  }
}

const actions = {
  restart: (card) => act(card, () => call("POST", `${card.dataset.apiUrl}/restart`)),
  copy: async (card, button) => {
    const address = new URL(button.dataset.address, location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      toast(t("home-copied"));
    } catch {
      toast(t("home-address-is", { address })); // no access to the clipboard: plain HTTP, or forbidden
    }
  },
  rename: (card) => ask({
    title: t("home-rename-title", { server: card.dataset.displayName }),
    text: t("home-rename-text"),
    label: t("home-rename-label"),
    value: card.dataset.displayName,
    button: t("server-rename"),
  }, async (typed) => {
    const name = displayName(typed);
    if (!name) {
      throw new Error(t("home-rename-empty"));
    }
    await call("PATCH", card.dataset.apiUrl, { display_name: name });
    await live.refresh();
  }),
  delete: (card) => ask({
    title: t("home-delete-title", { server: card.dataset.displayName }),
    text: t("home-delete-text"),
    button: t("server-delete"),
    danger: true,
  }, async () => {
    await call("DELETE", card.dataset.apiUrl, { remove: true });
    await live.refresh();
    document.getElementById("new-server-name")?.focus();
  }),
  leave: (card) => act(card, () => call("DELETE", card.dataset.leaveUrl)),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#servers-part [data-action]");
  if (button) {
    actions[button.dataset.action](button.closest("li"), button);
  }
});

document.addEventListener("submit", (event) => {
  const card = event.target.closest?.("#servers-part li");
  if (event.target.matches?.(".start-form") && card) {
    if (card.dataset.state !== "stopping") {
      return; // to the page that watches the start
    }
    event.preventDefault();
    toast(t("home-queued", { server: card.dataset.displayName }));
    actions.restart(card);
  }
  if (event.target.matches?.("#servers-part .stop-form")) {
    event.preventDefault();
    act(card, async () => {
      const stopped = call("DELETE", card.dataset.apiUrl);
      // a stop that takes a while shows as stopping meanwhile
      await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 500))]);
      live.refresh().catch(() => {});
      await stopped;
    });
  }
});

/** Shows the servers that are looked for; new ones and redrawn ones, too. */
function showFound() {
  const wanted = document.getElementById("server-filter")?.value.toLowerCase() ?? "";
  for (const card of document.querySelectorAll("#servers > li")) {
    card.hidden = !card.dataset.displayName.toLowerCase().includes(wanted);
  }
}

/** Puts a message away. Whoever has done so in another tab has what is wanted. */
document.addEventListener("submit", (event) => {
  const item = event.target.closest?.(".message");
  if (item) {
    event.preventDefault();
    act(item, () => call("DELETE", item.dataset.apiUrl).catch((error) => {
      if (error.status !== 404) {
        throw error;
      }
    }));
  }
});

document.addEventListener("input", (event) => {
  if (event.target.id === "server-filter") {
    showFound();
  }
});
part().addEventListener("refreshed", () => {
  showFound();
  showAdding();
});

/** Who has all the servers that they may have is offered no other one. */
function showAdding() {
  const full = part().dataset.full !== undefined;
  document.querySelectorAll(".add-server-form").forEach((form) => {
    form.querySelectorAll("input, button").forEach((control) => { control.disabled = full; });
  });
}

function prepareAdding(form) {
  const input = document.getElementById("new-server-name");
  const preview = document.getElementById("new-server-preview");
  const problem = document.getElementById("new-server-error");
  const usual = preview.textContent;
  const wrong = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
    input.toggleAttribute("aria-invalid", Boolean(text));
    if (text) {
      input.setAttribute("aria-invalid", "true");
      input.focus();
    }
  };
  input.addEventListener("input", () => {
    const display = displayName(input.value);
    preview.textContent = display ? t("home-slug", { name: slug(display) }) : usual;
    wrong("");
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const display = displayName(input.value);
    if (!display) {
      wrong(t("home-name-empty"));
      return;
    }
    const name = slug(display);
    const button = form.querySelector("button");
    if (document.querySelector(`#servers > li[data-server-name="${name}"]`)) {
      wrong(t("home-name-taken", { name }));
      return;
    }
    button.disabled = true;
    try {
      await call("PUT", `${userApiUrl}/servers/${name}`, { display_name: display });
      input.value = "";
      preview.textContent = usual;
      await live.refresh();
      document.getElementById(`start-${name}`)?.focus();
    } catch (error) {
      wrong(error.reason ?? error.message);
    } finally {
      button.disabled = false;
      showAdding();
    }
  });
}

document.querySelectorAll(".add-server-form").forEach(prepareAdding);
showAdding();
