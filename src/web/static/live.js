// Keeping a part of a page as the hub has it: a stream says that something changed, the part is fetched again, and what
// differs is replaced. The hub alone decides what things look like; what scripts show is what the page shows without them.

import { fetched, released } from "./part.js";
import { otherAccount, signedOut } from "./session.js";
import { Stream } from "./stream.js";
import { showTimes } from "./times.js";

/** Those that are replaced one by one. */
const ITEMS = ".servers > li, .messages > ul > li";

/** What tells an item from others. */
function keyOf(element) {
  return element.dataset.serverName ?? (element.id || element.dataset.displayName);
}

/** Watches the part `id`: `streamUrl` tells versions, `partUrl` has the part; `changed` is told the old and new items. */
export class Live {
  constructor(id, streamUrl, partUrl, changed = () => {}) {
    Object.assign(this, { id, partUrl, changed });
    this.known = document.getElementById(id).cloneNode(true);
    this.stream = new Stream(() => streamUrl, async (version) => {
      if (version !== document.getElementById(id).dataset.version) {
        await this.refresh();
      }
    });
  }

  /** Brings the page up to date now. */
  async refresh() {
    if (this.refreshing) {
      this.again = true;
      return this.refreshing;
    }
    this.refreshing = this.replace().finally(() => { this.refreshing = undefined; });
    await this.refreshing;
    if (this.again) {
      this.again = false;
      await this.refresh();
    }
  }

  async replace() {
    const fresh = await fetched(this.partUrl, this.id);
    await released();
    if (!fresh) {
      this.stream.end();
      signedOut();
      return;
    }
    const place = document.getElementById(this.id);
    const { userApiUrl: whose } = fresh.dataset;
    if (whose !== place.dataset.userApiUrl) {
      this.stream.end();
      otherAccount(decodeURIComponent(whose.split("/").pop()));
      return;
    }
    if (!fresh.isEqualNode(this.known)) {
      swap(place, this.known, fresh, this.changed);
    }
    for (const [name, value] of Object.entries(fresh.dataset)) {
      place.dataset[name] = value;
    }
    Object.keys(place.dataset).filter((name) => !(name in fresh.dataset)).forEach((name) => delete place.dataset[name]);
    this.known = fresh;
    place.dispatchEvent(new Event("refreshed"));
  }
}

/** Replaces what differs between `known` and `fresh` in `place`, which scripts may have changed since. */
function swap(place, known, fresh, changed) {
  const focused = document.activeElement?.closest(ITEMS);
  const focus = { id: document.activeElement?.id, key: focused && keyOf(focused), within: place.contains(document.activeElement) };
  const open = new Set([...place.querySelectorAll("details[open]")].map((details) => details.id));
  const before = new Map([...known.querySelectorAll(ITEMS)].map((item) => [keyOf(item), item]));
  const shown = new Map([...place.querySelectorAll(ITEMS)].map((item) => [keyOf(item), item]));
  const copy = document.importNode(fresh, true);
  for (const item of copy.querySelectorAll(ITEMS)) {
    const old = before.get(keyOf(item));
    const kept = shown.get(keyOf(item));
    if (old && kept && old.isEqualNode(item)) {
      item.replaceWith(kept); // untouched: it keeps focus, selection and whatever is open in it
    } else {
      changed(old, item);
    }
  }
  for (const field of place.querySelectorAll("input[id]")) {
    copy.querySelector(`#${CSS.escape(field.id)}`)?.replaceWith(field); // with what is typed in it
  }
  place.replaceChildren(...copy.childNodes);
  for (const details of place.querySelectorAll("details")) {
    details.open ||= open.has(details.id);
  }
  showTimes(place);
  if (focus.within && !place.contains(document.activeElement)) {
    const item = [...place.querySelectorAll(ITEMS)].find((candidate) => keyOf(candidate) === focus.key);
    const same = focus.id && document.getElementById(focus.id);
    const target = same && !same.disabled ? same : item?.querySelector(".server-buttons a[href], button:enabled");
    (target ?? document.getElementById("main")).focus();
  }
}
