// Colours: automatic (the system's), light or dark. The choice is kept in this browser.

const KEY = "jupyterhub-bs-theme";
const ORDER = ["auto", "light", "dark"];

function stored() {
  try {
    const choice = localStorage.getItem(KEY);
    return ORDER.includes(choice) ? choice : "auto";
  } catch {
    return "auto"; // storage is blocked
  }
}

function store(choice) {
  try {
    if (choice === "auto") {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, choice);
    }
  } catch {
    // storage is blocked: the choice lasts as long as the page
  }
}

function apply(choice) {
  if (choice === "auto") {
    document.documentElement.removeAttribute("data-bs-theme");
  } else {
    document.documentElement.setAttribute("data-bs-theme", choice);
  }
  const toggle = document.getElementById("dark-theme-toggle");
  if (toggle) {
    toggle.dataset.choice = choice;
    toggle.title = toggle.dataset[`${choice}Label`] ?? "";
    toggle.setAttribute("aria-label", toggle.title);
  }
}

let current = stored();
apply(current);

function prepareToggle() {
  apply(current); // the button exists only now
  document.getElementById("dark-theme-toggle")?.addEventListener("click", () => {
    current = ORDER[(ORDER.indexOf(current) + 1) % ORDER.length];
    store(current);
    apply(current);
  });
}

if (document.readyState === "loading") {
  document.addEventListener("DOMContentLoaded", prepareToggle);
} else {
  prepareToggle();
}

addEventListener("storage", (event) => {
  if (event.key === KEY) {
    current = stored();
    apply(current);
  }
});
