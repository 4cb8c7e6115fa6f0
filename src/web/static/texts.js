// The words of scripts, in the language of the page, which brings along what its scripts need (`script.texts`).

const language = document.documentElement.lang || "en";

/** What dates and numbers are written in: the reader's own kind of the page's language. */
export const locale = navigator.languages.find((own) => own.split("-")[0] === language.split("-")[0]) ?? language;

const plural = new Intl.PluralRules(language);
const words = {};
for (const block of document.querySelectorAll("script.texts")) {
  Object.assign(words, JSON.parse(block.textContent));
}

function shown(value) {
  return typeof value === "number" ? value.toLocaleString(locale) : String(value ?? "");
}

function made(message, values) {
  if (typeof message === "string") {
    return message;
  }
  return message.map((part) => {
    if (typeof part === "string") {
      return part;
    }
    const value = values[part.v];
    if (!part.cases) {
      return shown(value);
    }
    const form = typeof value === "number" ? plural.select(value) : "";
    return made(part.cases[value] ?? part.cases[form] ?? part.cases[part.usual], values);
  }).join("");
}

/** A message with its values. */
export function t(key, values = {}) {
  return key in words ? made(words[key], values) : key;
}
