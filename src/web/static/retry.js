// Another try, once the hub has said that it may work.

import { t } from "./texts.js";

/** Holds a button back until `from` (milliseconds, 0 for now), and shows for how long. */
export function countDown(button, from) {
  const words = button.firstChild;
  const usual = words.textContent;
  const show = () => {
    const left = Math.ceil((from - Date.now()) / 1000);
    button.disabled = left > 0;
    words.textContent = left > 0 ? t("retry-in", { action: usual, seconds: left }) : usual;
    if (left > 0) {
      setTimeout(show, 1000);
    }
  };
  if (from) {
    show();
  }
}
