// What was entered into a form and sent, until it is known that it arrived: a session may end in between. Only this tab knows.

import { page } from "./api.js";

const PREFIX = "orrery-draft:";
const keyOf = (form) => `${PREFIX}${page.user}:${new URL(form.action).pathname}`;

/** What was entered into this form and has not led anywhere yet. */
export function draft(form) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(form)));
  } catch {
    return null; // storage is blocked
  }
}

/** Keeps what is about to be sent. */
export function keepDraft(form, entered) {
  try {
    sessionStorage.setItem(keyOf(form), JSON.stringify(entered));
  } catch {
    // storage is blocked or full
  }
}

/** Something was started: nothing needs to be kept. */
export function dropDrafts() {
  try {
    Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)).forEach((key) => sessionStorage.removeItem(key));
  } catch {
    // storage is blocked
  }
}
