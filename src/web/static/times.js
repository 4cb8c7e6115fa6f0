// Times in the reader's own words, by the hub's clock, with the exact one at hand.

import { page } from "./api.js";
import { locale, t } from "./texts.js";

const UNITS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const ISO = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
// how far this machine's clock is ahead of the hub's
const ahead = page.now ? Date.now() - new Date(page.now) : 0;

function inWords(date) {
  const seconds = (date - (Date.now() - ahead)) / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return unit === "second" && Math.abs(seconds) < 20 ? t("time-just-now") : relative.format(Math.round(seconds / length), unit);
}

/** Shows every time below `place`. Lists have it in the text alone, until it is shown in words. */
export function showTimes(place = document) {
  for (const time of place.querySelectorAll("time")) {
    if (ISO.test(time.textContent)) {
      time.dateTime = time.textContent;
    }
    const date = new Date(time.dateTime);
    if (!Number.isNaN(date.valueOf())) {
      time.firstChild.data = inWords(date);
      time.title = exact.format(date);
    }
  }
}
