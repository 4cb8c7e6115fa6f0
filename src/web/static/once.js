// Forms that are sent once, however often somebody presses the button.

const forms = new WeakMap();

/** Lets a form be sent once, until the page comes back or `sendable` says so. */
export function once(form) {
  const submits = form.querySelectorAll('[type="submit"]');
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    // a disabled button would not be sent, so only after the browser has collected the fields
    setTimeout(() => submits.forEach((button) => { button.disabled = sent; }));
    form.setAttribute("aria-busy", "true");
  });
  const again = () => {
    sent = false;
    submits.forEach((button) => { button.disabled = false; });
    form.removeAttribute("aria-busy");
  };
  forms.set(form, again);
  // the back button may bring the page back as it was left
  addEventListener("pageshow", again);
}

/** It was not sent after all. */
export function sendable(form) {
  forms.get(form)?.();
}
