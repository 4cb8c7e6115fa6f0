// The page of shares: a new link is copied with one press. All the rest are forms.

const link = document.getElementById("new-link");

if (link) {
  const status = document.getElementById("copy-status");
  document.getElementById("copy-link").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(link.textContent);
      status.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(link);
      status.textContent = "Selected; press Ctrl+C to copy.";
    }
  });
  document.getElementById("link-area").focus();
}
