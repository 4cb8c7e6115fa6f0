// What the hub tells every page's scripts. A module of its own, since scripts that import each other cannot have versions.

/** The page's facts: base_url, prefix, user, xsrf_token. */
export const page = JSON.parse(document.getElementById("jhdata").textContent);
