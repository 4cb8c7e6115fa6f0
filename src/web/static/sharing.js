// The page of shares: a new link is copied with one press. All the rest are forms.

import { t } from "./texts.js";

const link = document.getElementById("new-link");

if (link) {
  const status = document.getElementById("copy-status");
  document.getElementById("copy-link").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(link.textContent);
      status.textContent = t("token-copied");
    } catch {
      getSelection().selectAllChildren(link);
      status.textContent = t("token-selected");
    }
  });
  document.getElementById("link-area").focus();
}
