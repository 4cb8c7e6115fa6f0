// Names of servers, by the same rules as the hub: what a person typed becomes a display name, and that a name for URLs.

const LONGEST_NAME = 30;

/** The display name as the hub accepts it: letters, marks, numbers, punctuation, symbols and single inner spaces. */
export function displayName(typed) {
  return typed
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, "")
    .replace(/ +/g, " ")
    .trim();
}

/** The name in URLs that belongs to a display name: 1 to 30 of a-z, 0-9 and single hyphens, a letter first. */
export function slug(display) {
  let name = display
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  if (name && !/^[a-z]/.test(name)) {
    name = `x-${name}`;
  }
  return name.slice(0, LONGEST_NAME).replace(/-+$/, "") || "x";
}
