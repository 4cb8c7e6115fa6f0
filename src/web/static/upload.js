// Sends a form with large files by a script, which can tell how far it got; a browser by itself cannot.

/** Calls `progress` with the share that has arrived; gives where the hub leads to, or the page that it answers with. */
export function upload(form, submitter, progress) {
  return new Promise((resolve, reject) => {
    const sent = new XMLHttpRequest();
    sent.open("POST", form.getAttribute("action")); // a field may be called "action"
    sent.responseType = "document";
    // asks for the way on instead of a redirection, which a script would follow to its end
    sent.setRequestHeader("x-requested-with", "fetch");
    sent.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
    sent.addEventListener("error", () => reject(new Error("not sent")));
    sent.addEventListener("abort", () => reject(new Error("not sent")));
    sent.addEventListener("load", () => {
      const url = sent.getResponseHeader("location");
      if (url || sent.response) {
        resolve({ url, html: sent.response });
      } else {
        reject(new Error("not sent"));
      }
    });
    const fields = new FormData(form);
    if (submitter?.name) {
      fields.append(submitter.name, submitter.value);
    }
    sent.send(fields);
  });
}

/** Shows the page that the hub answers with in place of this one, with the files that were chosen. */
export function show(html, form) {
  const files = new Map([...form.querySelectorAll('input[type="file"][name]')].map((field) => [field.name, field.files]));
  const main = document.getElementById("main");
  main.replaceChildren(...document.importNode(html.getElementById("main") ?? html.body, true).childNodes);
  document.title = html.title;
  for (const field of main.querySelectorAll('input[type="file"][name]')) {
    field.files = files.get(field.name) ?? field.files;
  }
  scrollTo(0, 0);
}
