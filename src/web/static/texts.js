// What the page brings along for its scripts: facts, and words in its own language (`script.texts`).

/** The page's facts: base_url, prefix, user, xsrf_token. */
export const page = JSON.parse(document.getElementById("jhdata").textContent);

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

/** A sentence of the hub in an event, in the language of the page, if it is translated. */
export function told(sentence, depth = 3) {
  for (const [texts, names, message] of depth > 0 ? words.said ?? [] : []) {
    const values = valuesIn(sentence, texts, names);
    if (values) {
      for (const name of names.filter((name) => !words.verbatim.includes(name))) {
        values[name] = /^\d+$/.test(values[name]) ? Number(values[name]) : told(values[name], depth - 1);
      }
      return made(message, values);
    }
  }
  return sentence;
}

/** The values of a sentence that consists of `texts` and, between them, values. */
function valuesIn(sentence, [first, ...texts], names) {
  if (!names.length) {
    return sentence === first ? {} : null;
  }
  if (!sentence.startsWith(first)) {
    return null;
  }
  const values = {};
  let rest = sentence.slice(first.length);
  for (const [place, text] of texts.entries()) {
    const isLast = place === texts.length - 1;
    const end = isLast ? (rest.endsWith(text) ? rest.length - text.length : -1) : rest.indexOf(text);
    if (end < 1 || (names[place] === "count" && !/^\d+$/.test(rest.slice(0, end)))) {
      return null;
    }
    values[names[place]] = rest.slice(0, end);
    rest = rest.slice(end + text.length);
  }
  return values;
}
