// Making elements. Texts are always text: nothing here, or in a script that uses it, ever reads markup.

import { t } from "./texts.js";

/** An element with attributes (`onclick` and the like take functions) and children, which are elements or texts. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** A time, or a word where there is none. */
export function when(iso, otherwise = t("time-never")) {
  return iso ? h("time", { datetime: iso }, iso) : otherwise;
}

/** Words that only screen readers say, to tell one button from the next. */
export function said(text) {
  return h("span", { class: "visually-hidden" }, ` ${text}`);
}

/** A short message at the edge of the window; it goes by itself, and is read out. */
export function toast(text) {
  const message = h("p", { class: "toast" }, h("span", {}, text),
    h("button", { type: "button", "aria-label": t("message-close"), onclick: () => message.remove() }, "×"));
  document.getElementById("toasts").append(message);
  setTimeout(() => message.remove(), 8000);
}
