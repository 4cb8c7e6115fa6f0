// Bringing a part of a page to what the hub shows now. What is the same stays as it is, with the focus, what is selected
// or typed in it, and whatever is open. What scripts have added stays, too.

/** What tells an element from others beside it: buttons and links that do something else are others. */
function keyOf({ id, dataset, nodeName, value, attributes }) {
  if (!dataset) {
    return "";
  }
  const deed = nodeName === "BUTTON" ? value : attributes.href?.value;
  return id || dataset.key || dataset.user || deed || "";
}

/** The first of `nodes` that may become `wanted`; it is none of them any more. */
function taken(nodes, wanted) {
  const key = keyOf(wanted);
  const place = nodes.findIndex((node) => node.nodeName === wanted.nodeName && keyOf(node) === key);
  return place < 0 ? null : nodes.splice(place, 1)[0];
}

/** Gives `shown` the attributes that `fresh` has and `known` had not. What somebody chose or typed stays. */
function setAttributes(known, shown, fresh) {
  const untouched = {
    value: shown.value === (known.getAttribute("value") ?? ""),
    checked: shown.checked === known.hasAttribute("checked"),
    selected: shown.selected === known.hasAttribute("selected"),
  };
  const changed = [];
  for (const { name, value } of fresh.attributes) {
    if (known.getAttribute(name) !== value) {
      shown.setAttribute(name, value);
      changed.push(name);
    }
  }
  for (const { name } of known.attributes) {
    if (!fresh.hasAttribute(name)) {
      shown.removeAttribute(name);
      changed.push(name);
    }
  }
  for (const name of changed.filter((name) => untouched[name] && shown.nodeName !== "BUTTON")) {
    shown[name] = name === "value" ? fresh.getAttribute("value") ?? "" : fresh.hasAttribute(name);
  }
}

/** A part of the page, and what the hub sent of it last. */
export class Part {
  constructor(shown) {
    this.twins = new WeakMap(); // from what the hub sent to what is shown of it
    this.known = shown.cloneNode(true);
    this.pair(this.known, shown);
  }

  pair(sent, shown) {
    this.twins.set(sent, shown);
    [...sent.childNodes].forEach((child, place) => this.pair(child, shown.childNodes[place]));
  }

  /** Takes over what belongs to `known` for `fresh`, which is equal to it. */
  keep(known, fresh) {
    this.twins.set(fresh, this.twins.get(known));
    [...known.childNodes].forEach((child, place) => this.keep(child, fresh.childNodes[place]));
  }

  /** Changes something that is shown until the hub shows it otherwise, or again. */
  change(shown, how) {
    how(shown);
    const known = this.sentOf(this.known, shown);
    if (known) {
      how(known);
    }
  }

  sentOf(known, shown) {
    if (this.twins.get(known) === shown) {
      return known;
    }
    return [...known.childNodes].reduce((found, child) => found ?? this.sentOf(child, shown), null);
  }

  /** Shows what the hub has sent now. */
  show(fresh) {
    this.patch(this.known, this.twins.get(this.known), fresh);
    this.known = fresh;
  }

  patch(known, shown, fresh) {
    setAttributes(known, shown, fresh);
    const left = [...known.childNodes];
    const wanted = [...fresh.childNodes].map((child) => this.made(taken(left, child), shown, child));
    left.forEach((gone) => this.twins.get(gone)?.remove());
    this.twins.set(fresh, shown);
    const all = new Set(wanted);
    let next = shown.firstChild;
    for (const child of wanted) {
      while (next && !all.has(next)) {
        next = next.nextSibling; // a script's
      }
      if (next === child) {
        next = next.nextSibling;
      } else {
        shown.insertBefore(child, next);
      }
    }
  }

  /** What is shown for `child` below `parent`: what was there for `known`, or something new. */
  made(known, parent, child) {
    const shown = known && this.twins.get(known);
    if (shown?.parentNode !== parent) {
      const made = document.importNode(child, true);
      this.pair(child, made);
      return made;
    }
    if (known.isEqualNode(child)) {
      this.keep(known, child);
    } else if (child.nodeType === Node.ELEMENT_NODE) {
      this.patch(known, shown, child);
    } else {
      shown.data = child.data;
      this.twins.set(child, shown);
    }
    return shown;
  }
}
