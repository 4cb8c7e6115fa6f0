import { countDown } from "./retry.js";

// another try is offered when it may work, and taken only if somebody wants it
const retry = document.getElementById("retry");
if (retry?.dataset.seconds) {
  countDown(retry, Date.now() + Number(retry.dataset.seconds) * 1000);
}

// The hub counts its redirects in the address; without the count a reload starts over.

const address = new URL(location.href);
if (address.searchParams.has("redirects")) {
  address.searchParams.delete("redirects");
  history.replaceState(history.state, "", address);
}
