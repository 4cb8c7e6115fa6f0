// Presses of the pointer: what is replaced between down and up gets no click.

const LONGEST_MS = 3000; // who holds a button longer than that has thought better of it
let pressed; // the promise that the pointer is up again, and what its click did is under way

addEventListener("pointerdown", ({ target }) => {
  if (target.closest?.("a, button, input, label, select, summary")) {
    pressed = new Promise((resolve) => {
      const up = () => setTimeout(resolve); // the click comes after it
      ["pointerup", "pointercancel", "pagehide"].forEach((name) => addEventListener(name, up, { once: true }));
      setTimeout(resolve, LONGEST_MS);
    });
  }
}, true);

/** Waits while the visitor is pressing something. */
export async function released() {
  let waited;
  while (waited !== pressed) {
    waited = pressed;
    await waited;
  }
}
