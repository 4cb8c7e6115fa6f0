// The form before a start: what was entered comes back after an error, after a sign-in in between, and as the choice of the last
//  time; large files tell how far they got.

import { draft, keepDraft } from "./drafts.js";
import { locale, t } from "./texts.js";

const form = document.getElementById("spawn_form");
const upload = document.getElementById("upload");
const isRefused = Boolean(document.getElementById("spawn-error"));

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

const kept = draft(form);
if (form.dataset.entered) {
  fill(JSON.parse(form.dataset.entered));
}
// after an error the hub knows best what was sent
if (kept && !isRefused) {
  fill(kept);
}

// leads to the field also where the browser would only scroll
document.getElementById("spawn-problems")?.addEventListener("click", (event) => {
  const field = event.target.closest("a") && document.getElementById(event.target.closest("a").hash.slice(1));
  if (field) {
    event.preventDefault();
    const profile = field.closest(".profile")?.querySelector('input[name="profile"][type="radio"]');
    if (profile) {
      profile.checked = true; // its fields may be folded away
    }
    field.focus();
  }
});

form.addEventListener("submit", (event) => {
  if (event.defaultPrevented) {
    return; // sent already
  }
  keepDraft(form, entered());
  const files = [...form.querySelectorAll('input[type="file"]')].flatMap((field) => [...field.files]);
  if (files.length) {
    const size = files.reduce((sum, file) => sum + file.size, 0) / 1e6;
    upload.textContent = t("spawn-sending", {
      count: files.length, name: files[0].name, size: size.toLocaleString(locale, { maximumFractionDigits: 1 }),
    });
    upload.hidden = false;
  }
});

addEventListener("pageshow", () => { upload.hidden = true; });
