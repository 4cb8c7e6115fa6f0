// Presses of the pointer: what is replaced between down and up gets no click.

const LONGEST_MS = 3000; // who holds a button longer than that has thought better of it
let release = () => {};
let pressed; // until the pointer is up again, and its click has come

addEventListener("pointerdown", ({ target }) => {
  if (target.closest?.("a, button, input, label, select, summary")) {
    pressed = new Promise((resolve) => { release = resolve; });
    setTimeout(release, LONGEST_MS);
  }
}, true);

for (const up of ["pointerup", "pointercancel"]) {
  addEventListener(up, () => setTimeout(release), true); // the click comes after it
}

/** Waits while the visitor is pressing something. */
export async function released() {
  let waited;
  while (waited !== pressed) {
    waited = pressed;
    await waited;
  }
}
