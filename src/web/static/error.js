// The hub counts its redirects in the address; without the count a reload starts over.

const address = new URL(location.href);
if (address.searchParams.has("redirects")) {
  address.searchParams.delete("redirects");
  history.replaceState(history.state, "", address);
}
