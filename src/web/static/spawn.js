// The form before a start: what was entered comes back after an error, after a sign-in in between, and as the choice of the last
//  time; large files tell how far they got.

import { draft, keepDraft } from "./drafts.js";
import { once, sendable } from "./once.js";
import { tellIfChanged } from "./session.js";
import { locale, t } from "./texts.js";
import { show, upload } from "./upload.js";

/** Files that arrive in a moment need no percentage, and the browser sends them as it always does. */
const LARGE_BYTES = 1e6;

let form;

/** Sends the XSRF token as a field only: from the form's address it would come into the address bar. */
function hideToken() {
  const address = new URL(form.getAttribute("action"), location.href);
  address.searchParams.delete("_xsrf");
  form.setAttribute("action", address.pathname + address.search);
}

/** What can be filled in by a script; passwords and files are for their owner alone. */
const fillable = () => [...form.elements].filter((field) =>
  field.name && field.name !== "_xsrf" && !["password", "file", "hidden", "submit", "button", "reset"].includes(field.type));

/** The fields as lists of texts by their names. */
function entered() {
  const lists = {};
  for (const field of fillable()) {
    const list = (lists[field.name] ??= []);
    if (field.type === "checkbox" || field.type === "radio") {
      if (field.checked) {
        list.push(field.value);
      }
    } else if (field.type === "select-multiple") {
      list.push(...[...field.selectedOptions].map((option) => option.value));
    } else {
      list.push(field.value);
    }
  }
  return lists;
}

/** Fills fields in; those that nothing is known of stay as they are. A box that was not ticked is in no list. */
function fill(lists) {
  const left = Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, [...list]]));
  for (const field of fillable()) {
    const known = field.name in lists;
    if (field.type === "checkbox" || field.type === "radio") {
      if (known || field.type === "checkbox") {
        field.checked = (lists[field.name] ?? []).includes(field.value);
      }
    } else if (known && field.type === "select-multiple") {
      for (const option of field.options) {
        option.selected = lists[field.name].includes(option.value);
      }
    } else if (known && field.type === "select-one") {
      const value = left[field.name].shift();
      if ([...field.options].some((option) => option.value === value)) {
        field.value = value;
      }
    } else if (known && left[field.name].length) {
      field.value = left[field.name].shift();
    }
  }
}

/** Fills the form in and watches it; it comes anew when the hub refuses what was sent by a script. */
function begin(isFresh = false) {
  form = document.getElementById("spawn_form");
  if (!form) {
    return; // the hub has answered with another page
  }
  hideToken();
  if (isFresh) {
    once(form);
  }
  const kept = draft(form);
  if (form.dataset.entered) {
    fill(JSON.parse(form.dataset.entered));
  }
  // after an error the hub knows best what was sent
  if (kept && !document.getElementById("spawn-error")) {
    fill(kept);
  }
  document.getElementById("spawn-problems")?.addEventListener("click", lead);
  form.addEventListener("submit", sendIt);
}

/** Leads to the field also where the browser would only scroll. */
function lead(event) {
  const field = event.target.closest("a") && document.getElementById(event.target.closest("a").hash.slice(1));
  if (field) {
    event.preventDefault();
    const profile = field.closest(".profile")?.querySelector('input[name="profile"][type="radio"]');
    if (profile) {
      profile.checked = true; // its fields may be folded away
    }
    field.focus();
  }
}

function tell(text) {
  const place = document.getElementById("upload");
  place.textContent = text;
  place.hidden = !text;
}

/** How much has arrived, from 0 to 1; undefined for nothing under way. */
function tellShare(share) {
  const place = document.getElementById("upload-share");
  place.hidden = share === undefined;
  const percent = Math.floor((share ?? 0) * 100);
  place.querySelector("progress").value = percent;
  place.querySelector("span").textContent = (percent / 100).toLocaleString(locale, { style: "percent" });
}

function sendIt(event) {
  if (event.defaultPrevented) {
    return; // sent already
  }
  keepDraft(form, entered());
  const files = [...form.querySelectorAll('input[type="file"]')].flatMap((field) => [...field.files]);
  if (!files.length) {
    return;
  }
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  tell(t("spawn-sending", {
    count: files.length, name: files[0].name, size: (bytes / 1e6).toLocaleString(locale, { maximumFractionDigits: 1 }),
  }));
  if (bytes >= LARGE_BYTES) {
    event.preventDefault();
    sendLarge(event.submitter);
  }
}

async function sendLarge(submitter) {
  const sent = form;
  tellShare(0);
  try {
    if (await tellIfChanged()) {
      throw new Error("nobody to send it for"); // before much is sent for nothing
    }
    const answer = await upload(sent, submitter, (share) => {
      tellShare(share);
      if (share === 1) {
        tell(t("spawn-sent"));
      }
    });
    if (answer.url) {
      location.assign(answer.url);
      return;
    }
    show(answer.html, sent);
    begin(true);
    (document.getElementById("spawn-error") ?? document.getElementById("main")).focus();
  } catch {
    tellShare(undefined);
    tell(t("spawn-not-sent"));
    sendable(sent);
  }
}

begin();
addEventListener("pageshow", () => {
  if (document.getElementById("upload")) {
    tell("");
    tellShare(undefined);
  }
});
