// What is wrong with the structure of a page, by the number of the journey (ui-checklist.md, H). Run in the page.
const found = {};
const wrong = (number, what, element) =>
  (found[number] ??= []).push(what + (element ? ": " + element.outerHTML.slice(0, 160) : ""));
const all = (css, place = document) => [...place.querySelectorAll(css)];
const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest("dialog:not([open])");
// for readers of the screen only: a pixel
const isSeen = (element) => isShown(element) && element.getBoundingClientRect().width > 1;
const nameOf = (element) => {
  const by = element.getAttribute("aria-labelledby");
  return (by ? document.getElementById(by)?.textContent : element.getAttribute("aria-label") ?? (element.value && element.type === "submit" ? element.textContent || element.value : element.textContent)).replace(/\s+/g, " ").trim();
};
const light = ([red, green, blue]) => {
  const parts = [red, green, blue].map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const behind = (element) => {
  for (let place = element; place; place = place.parentElement) {
    const colour = rgba(getComputedStyle(place).backgroundColor);
    if (colour[3] === 255) {
      return colour;
    }
  }
  return rgba("canvas");
};
const contrast = (one, other) => {
  const [less, more] = [light(one), light(other)].sort((a, b) => a - b);
  return (more + 0.05) / (less + 0.05);
};

// 151: landmarks
if (all("main").length !== 1) wrong(151, "not one main");
all("nav").filter((nav) => !nav.getAttribute("aria-label") && !nav.getAttribute("aria-labelledby")).forEach((nav) => wrong(151, "nav without a name", nav));
for (const part of document.body.children) {
  const isPlace = part.matches("header, main, footer, .skip-link, [role=status], dialog, script, noscript");
  if (!isPlace && isShown(part)) wrong(151, "outside of all landmarks", part);
}

// 152, 153, 168: title, headings, language
if (!/^\S.* · Orrery$/.test(document.title)) wrong(152, "title " + document.title);
const headings = all("h1, h2, h3, h4, h5, h6").filter(isShown);
if (headings.filter(({ tagName }) => tagName === "H1").length !== 1) wrong(153, "not one h1");
headings.forEach((heading, at) => {
  const [level, before] = [heading, headings[at - 1]].map((other) => Number(other?.tagName[1] ?? 0));
  if (level > before + 1) wrong(153, "a level is skipped", heading);
  if (!heading.textContent.trim()) wrong(153, "empty", heading);
});
if (!document.documentElement.lang) wrong(168, "no language");
all("main img, footer img").forEach((image) => wrong(168, "an image, perhaps of text", image));

// 154, 155, 156: controls
const controls = all("a, button, input:not([type=hidden]), select, textarea, summary, [role=button], [onclick], [tabindex]").filter(isShown);
const names = new Map();
for (const control of controls) {
  const isButton = control.matches("button, input[type=submit]");
  const isLink = control.matches("a[href]");
  if (control.tabIndex > 0) wrong(154, "an order of its own", control);
  if (control.tabIndex < 0 && control.matches("a, button, input, select, textarea, summary")) wrong(154, "Tab passes it by", control);
  if (control.matches("a:not([href])")) wrong(155, "a link to nowhere", control);
  if (control.matches("[onclick], [href^='javascript:'], [href='#']")) wrong(155, "a link that is a script", control);
  if (control.matches("[role=button]:not(a[href], button, summary)")) wrong(155, "no real button", control);
  if (control.matches("a, button") && control.querySelector("a, button, input, select, textarea")) wrong(155, "a control in a control", control);
  if ((isButton || isLink || control.matches("summary")) && !nameOf(control)) wrong(156, "no name", control);
  if (isButton) {
    const form = control.form && new URL(control.form.action, location.href);
    const does = [form?.href, control.value, control.dataset.action, control.id].join();
    const name = nameOf(control);
    if (names.has(name) && names.get(name) !== does) wrong(156, "another button has this name", control);
    names.set(name, does);
  }
}

// 157: labels that can be seen; a box in a table has its row or column
for (const field of all("input:not([type=hidden], [type=submit]), select, textarea").filter(isShown)) {
  const labels = [...(field.labels ?? [])].filter(isSeen);
  if (!labels.length && !(field.type === "checkbox" && field.closest("td, th") && field.ariaLabel)) wrong(157, "no label", field);
}

// 158: edges of controls; the contrast of text is axe-core's
for (const control of all("button, .btn, input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea").filter(isSeen)) {
  const style = getComputedStyle(control);
  const back = behind(control.parentElement);
  const edges = [rgba(style.borderTopColor), rgba(style.backgroundColor)].filter((colour) => colour[3] === 255);
  const isPlain = edges.length === 0 || control.matches(".btn-plain, :disabled, .toast *");
  if (!isPlain && Math.max(...edges.map((edge) => contrast(edge, back))) < 3) wrong(158, "its edge is hardly seen", control);
}

// 160: sizes; links in running text may be as high as the text
for (const control of controls.filter(isSeen)) {
  const { width, height } = (control.matches("input[type=checkbox], input[type=radio]") && control.closest("label") || control).getBoundingClientRect();
  const isText = control.matches("a:not(.btn), summary") && getComputedStyle(control).display === "inline" || control.matches("p a, li a:not(.btn), dd a, th a, td a");
  if (!isText && control.tabIndex >= 0 && control.matches("a, button, input, select, textarea, summary") && (width < 24 || height < 24)) wrong(160, `${width} × ${height}`, control);
}

// 167: tables
for (const table of all("table").filter(isShown)) {
  if (!table.caption?.textContent.trim()) wrong(167, "no caption", table);
  const heads = all("thead th", table);
  heads.filter((head) => head.scope !== "col" || !head.textContent.trim()).forEach((head) => wrong(167, "no heading of a column", head));
  for (const row of all("tbody tr", table)) {
    if (!row.querySelector("th[scope=row]")) wrong(167, "no heading of a row", row);
    const width = [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0);
    if (width !== heads.length) wrong(167, `${width} cells below ${heads.length} headings`, row);
  }
}
return found;
