// The dialog that asks before something is done that cannot be undone, or for a name.

/** Asks before `action`; it runs while the dialog is open, so that what goes wrong is told there. */
export function ask({ title, text, label, value, button, danger }, action) {
  const at = (id) => document.getElementById(id);
  const dialog = at("ask-dialog");
  at("ask-title").textContent = title;
  at("ask-text").textContent = text;
  at("ask-field").hidden = label === undefined;
  at("ask-field").querySelector("label").textContent = label ?? "";
  at("ask-input").value = value ?? "";
  at("ask-error").hidden = true;
  at("ask-do").textContent = button;
  at("ask-do").className = danger ? "btn-danger" : "btn-primary";
  dialog.querySelector("form").onsubmit = async (event) => {
    event.preventDefault();
    at("ask-do").disabled = true;
    try {
      await action(at("ask-input").value);
      dialog.close();
    } catch (error) {
      at("ask-error").textContent = error.reason ?? error.message;
      at("ask-error").hidden = false;
    } finally {
      at("ask-do").disabled = false;
    }
  };
  // no submit button: Enter in the field must mean the other one
  at("ask-cancel").onclick = () => dialog.close();
  const opener = document.activeElement;
  dialog.onclose = () => {
    // what was asked about may be gone
    if (document.activeElement === document.body) {
      (opener?.isConnected ? opener : document.getElementById("main")).focus();
    }
  };
  dialog.showModal();
  (label === undefined ? at("ask-cancel") : at("ask-input")).focus();
}
