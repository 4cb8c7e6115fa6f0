// Several users at once: ticking them, and doing one thing after the other with what came of each.

import { call } from "./api.js";
import { h } from "./dom.js";
import { signedOut } from "./session.js";
import { t } from "./texts.js";

const ABREAST = 4;

const boxes = () => [...document.querySelectorAll("input[form=bulk][name=user]")];

function count() {
  const line = document.getElementById("bulk-count");
  if (!line) {
    return;
  }
  const all = document.getElementById("bulk-all").checked;
  const ticked = boxes().filter(({ checked }) => checked).length;
  boxes().forEach((box) => box.closest("tbody").classList.toggle("chosen", all || box.checked));
  line.textContent = all ? t("admin-all-chosen") : ticked === 0 ? t("admin-tick") : t("admin-chosen", { count: ticked });
  const page = document.getElementById("bulk-page");
  if (page) {
    page.checked = boxes().length > 0 && ticked === boxes().length;
    page.indeterminate = ticked > 0 && !page.checked;
  }
}

/** A box in the head of the list ticks the whole page. */
function addPageBox() {
  const head = document.querySelector("#bulk ~ .table-scroller thead th:first-child");
  if (head && !document.getElementById("bulk-page")) {
    head.append(h("input", {
      id: "bulk-page", type: "checkbox", "aria-label": t("admin-choose-page"),
      onchange: ({ target }) => {
        boxes().forEach((box) => { box.checked = target.checked; });
        count();
      },
    }));
  }
}

/** Watches the boxes of the list of users. */
export function watchSelection() {
  let last = null;
  document.addEventListener("click", (event) => {
    if (event.target.matches?.("input[form=bulk][name=user]")) {
      // with Shift: all between the last one and this one
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(event.target)].sort((one, other) => one - other);
      if (event.shiftKey && from >= 0) {
        all.slice(from, to + 1).forEach((box) => { box.checked = event.target.checked; });
      }
      last = event.target;
    }
  });
  document.addEventListener("change", count);
  document.addEventListener("swapped", () => { addPageBox(); count(); });
  addPageBox();
  count();
}

function show(item, kind, text) {
  item.className = kind;
  item.querySelector(".result").textContent = text;
}

/** What is written to those who are chosen, if anything is. */
const text = () => document.getElementById("bulk-text");

async function act(item, deed) {
  show(item, "busy", t("admin-under-way"));
  try {
    const { method, url, body } = item.dataset;
    const answer = await call(method, url, text() ? { message: text().value } : body ? JSON.parse(body) : undefined);
    show(item, "fine", answer.status === 202 ? t("admin-takes-a-while") : t("admin-past", { deed }));
    item.querySelector("[name=item]")?.remove();
  } catch (error) {
    show(item, "wrong", error.reason ?? error.message);
    return error;
  }
  return null;
}

async function run(form) {
  const go = document.getElementById("bulk-go");
  const progress = document.getElementById("bulk-progress");
  const deed = form.elements.op.value;
  const items = [...form.querySelectorAll(".bulk-items > li")].filter((item) => item.querySelector("[name=item]"));
  const waiting = [...items];
  let [done, failed, ended] = [0, 0, false];
  go.disabled = true;
  if (text()) {
    text().readOnly = true; // all get the same
  }
  form.setAttribute("aria-busy", "true");
  const leave = (event) => event.preventDefault();
  addEventListener("beforeunload", leave);
  const worker = async () => {
    for (let item = waiting.shift(); item && !ended; item = waiting.shift()) {
      const error = await act(item, deed);
      done += 1;
      failed += error ? 1 : 0;
      ended ||= error?.status === 403 && !(await isSignedIn());
      progress.textContent = failed
        ? t("admin-progress-failed", { done, count: items.length, failed })
        : t("admin-progress", { done, count: items.length });
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, worker));
  removeEventListener("beforeunload", leave);
  form.removeAttribute("aria-busy");
  document.getElementById("bulk-back").textContent = t("admin-back-to-users");
  const left = items.filter((item) => item.querySelector("[name=item]")).length;
  const fine = done - failed;
  progress.textContent = left === 0
    ? t("admin-all-done", { count: fine, deed })
    : t("admin-some-left", { done: fine, count: items.length, deed, left });
  if (text() && fine === 0) {
    text().readOnly = false;
  }
  if (left > 0) {
    go.textContent = t("admin-try-again", { count: left });
    go.disabled = false;
    go.focus();
  } else {
    go.remove();
    document.getElementById("bulk-back").focus();
  }
  if (ended) {
    signedOut();
  }
}

async function isSignedIn() {
  try {
    return (await fetch(document.getElementById("bulk-back").href, { redirect: "manual" })).ok;
  } catch {
    return true; // unknown: the hub cannot be reached
  }
}

/** Watches the page that says what would be done. */
export function watchRun() {
  const form = document.getElementById("bulk-run");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    if (text() && !text().value.trim()) {
      text().value = ""; // the browser says what is missing
      text().reportValidity();
    } else if (!document.getElementById("bulk-go").disabled) {
      run(form);
    }
  });
}
