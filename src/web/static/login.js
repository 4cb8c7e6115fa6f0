// The sign-in form: a warning on an unprotected connection, and a button that shows the password.

if (!window.isSecureContext) {
  document.getElementById("insecure-login-warning")?.removeAttribute("hidden");
}

const password = document.getElementById("password_input");
const toggle = document.getElementById("password-toggle");
toggle?.addEventListener("click", () => {
  const show = password.type === "password";
  password.type = show ? "text" : "password";
  toggle.setAttribute("aria-pressed", String(show));
});
