// What the pages do beyond plain links and forms. Everything hangs on data attributes: no inline handlers, so a strict
// content security policy holds. Without this file every page still works, save copying, the theme's instant switch,
// the guard against leaving, and the keys.

const root = document.documentElement;

// ---------------------------------------------------------------- theme
// The server writes data-theme from a cookie, so nothing flashes. Here the cookie is written without a round trip.
function isDark() {
  return root.dataset.theme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
}

function setIcon(element, name) {
  const use = element.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
}

function showTheme(button) {
  const dark = isDark();
  button.value = dark ? "light" : "dark";
  button.setAttribute("aria-label", dark ? "Switch to light theme" : "Switch to dark theme");
  setIcon(button, dark ? "sun" : "moon");
}

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  showTheme(button);
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const theme = isDark() ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; secure" : "";
    root.dataset.theme = theme;
    document.cookie = `${root.dataset.themeCookie}=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
    showTheme(button);
  });
}

// ----------------------------------------------------------- navigation
// One button, which folds to the rail on wide screens and opens a drawer on narrow ones.
const drawer = matchMedia("(max-width: 1180px)");
const navButton = document.querySelector("[data-nav-toggle]");
function navIsOpen() {
  return drawer.matches ? document.body.classList.contains("nav-open") : !document.body.classList.contains("rail");
}
function showNav() {
  navButton.setAttribute("aria-expanded", String(navIsOpen()));
}
if (navButton) {
  showNav();
  drawer.addEventListener("change", showNav);
  navButton.addEventListener("click", () => {
    document.body.classList.toggle(drawer.matches ? "nav-open" : "rail");
    showNav();
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !document.body.classList.contains("nav-open")) return;
    document.body.classList.remove("nav-open");
    showNav();
    navButton.focus();
  });
}

// Strips that scroll sideways on narrow screens begin where one is.
function showPlace() {
  for (const strip of document.querySelectorAll(".resource-menu, .pivot")) {
    const here = strip.querySelector("[aria-current]");
    const beyond = here ? here.getBoundingClientRect().right - strip.getBoundingClientRect().right : 0;
    if (beyond > 0) strip.scrollLeft += beyond + 48; // a piece of the next one says that it goes on
  }
}
showPlace();
drawer.addEventListener("change", showPlace);

// -------------------------------------------------------------- dialogs
// <button data-opens="id"> opens a dialog of this page; <a data-panel href> fetches the panel that stands at its own
// address and opens it over this page. Escape, focus trap and focus return are the browser's own.
const FIELD = ".panel-body :is(input:not([type=hidden]), select, textarea):not([readonly], [disabled])";

// By which one element names others, next to a link to a place of the page.
const NAMING = ["for", "form", "list", "aria-labelledby", "aria-describedby", "aria-controls", "data-reveals", "data-copy-from"];

// The page below may have the same field, such as the password that both ask for: then a label of the panel would name
// that one, which is out of reach.
function keepIdsApart(panel) {
  for (const { id } of [...panel.querySelectorAll("[id]")].filter(({ id }) => document.getElementById(id))) {
    panel.querySelector(`#${CSS.escape(id)}`).id = `panel-${id}`;
    for (const name of NAMING) {
      for (const each of panel.querySelectorAll(`[${name}~="${CSS.escape(id)}"]`)) {
        const ids = each.getAttribute(name).split(/\s+/);
        each.setAttribute(name, ids.map((one) => (one === id ? `panel-${id}` : one)).join(" "));
      }
    }
    for (const link of panel.querySelectorAll(`a[href="#${CSS.escape(id)}"]`)) link.setAttribute("href", `#panel-${id}`);
  }
}

async function openPanel(link) {
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const panel = page.getElementById("panel");
  if (!answer.ok || answer.redirected || !panel) {
    location.assign(link.href);
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.className = panel.classList.contains("is-wide") ? "panel panel-wide" : "panel";
  dialog.setAttribute("aria-labelledby", "panel-title");
  panel.removeAttribute("aria-labelledby");
  panel.setAttribute("role", "presentation");
  keepIdsApart(panel);
  dialog.append(document.adoptNode(panel));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  prepare(dialog);
  dialog.showModal();
  // A form begins at its first field, or where it says; a question stays on Close, never on its red button.
  if (!dialog.querySelector("[autofocus]")) dialog.querySelector(FIELD)?.focus();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.opens)?.showModal();
    return;
  }
  const link = event.target.closest("a[data-panel]");
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    openPanel(link).catch(() => location.assign(link.href));
    return;
  }
  const closer = event.target.closest("[data-closes]");
  const dialog = closer?.closest("dialog");
  if (dialog) {
    event.preventDefault();
    dialog.close();
  }
  // A click on the backdrop closes a panel in which nothing was typed.
  if (event.target.matches("dialog.panel") && !event.target.querySelector("form[data-changed]")) event.target.close();
});

// ----------------------------------------------------------------- copy
// data-copy holds the text, data-copy-from the id of the element that shows it.
const announcer = document.getElementById("announcer");
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (announcer) announcer.textContent = "The browser did not allow copying. Select the text and copy it.";
    return;
  }
  if (button.classList.contains("is-done")) return;
  const before = button.querySelector("use").getAttribute("href").replace(/.*#/, "");
  setIcon(button, "check-16");
  button.classList.add("is-done");
  if (announcer) announcer.textContent = "Copied";
  setTimeout(() => {
    setIcon(button, before);
    button.classList.remove("is-done");
    if (announcer) announcer.textContent = "";
  }, 2000);
});

// --------------------------------------------------------------- toasts
for (const toast of document.querySelectorAll(".toast[data-fades]")) setTimeout(() => toast.remove(), 6000);
document.addEventListener("click", (event) => event.target.closest("[data-dismisses]")?.closest(".toast").remove());

// ---------------------------------------------------------------- forms
// data-guard asks before typed text is lost; data-busy shows the part .busy and takes one press only.
let leaving = false;
addEventListener("beforeunload", (event) => {
  if (!leaving && document.querySelector("form[data-changed], [data-unstored]")) event.preventDefault();
});
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-guard]");
  if (form) form.dataset.changed = "";
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent !== undefined) {
    event.preventDefault();
    return;
  }
  if (form.method === "dialog") return;
  if (form.matches("[data-guard], [data-busy], [data-releases]")) leaving = true;
  if (!form.matches("[data-busy]")) return;
  form.dataset.sent = "";
  for (const part of form.querySelectorAll(".busy")) part.hidden = false;
  // Disabled only after the submission has taken the button's name and value along.
  setTimeout(() => {
    for (const button of form.querySelectorAll("[type=submit]")) button.disabled = true;
  });
});
// A page that comes back from the browser's memory starts afresh.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  leaving = false;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[type=submit]")) button.disabled = false;
    for (const part of form.querySelectorAll(".busy")) part.hidden = true;
  }
});

// Done stays closed until the box says that the value is stored. Without script the box is simply required.
function prepare(scope) {
  for (const stored of scope.querySelectorAll("[data-stored]")) {
    const done = stored.form?.querySelector("[data-done]");
    if (!done) continue;
    done.disabled = !stored.checked;
    stored.addEventListener("change", () => { done.disabled = !stored.checked; });
  }
  for (const control of scope.querySelectorAll("[data-submits]")) {
    control.addEventListener("change", () => control.form.requestSubmit());
  }
  for (const button of scope.querySelectorAll("[data-with-script], [data-reveals]")) button.hidden = false;
}
prepare(document);

// The eye beside a password field. What was shown for a look is hidden again before it is sent: browsers remember
// ordinary text.
function reveal(button, shown) {
  const field = document.getElementById(button.dataset.reveals);
  field.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  setIcon(button, shown ? "eye-off" : "eye");
  return field;
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveals]");
  if (button) reveal(button, button.getAttribute("aria-pressed") !== "true").focus();
});
document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("[data-reveals]")) reveal(button, false);
});

// ----------------------------------------------------------------- keys
// Single keys, ignored while typing; they can be turned off on the help page (WCAG 2.1.4).
const keysAreOff = () => localStorage.getItem("keys") === "off";
const goals = { a: "applications", l: "sign_ins", d: "decode" };
let awaitingGoal = false;
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keysAreOff()) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
  const goal = awaitingGoal ? goals[event.key] : undefined;
  awaitingGoal = event.key === "g";
  const link = goal ? document.querySelector(`.nav-item[data-name="${goal}"]`)
    : document.querySelector({ n: "[data-key=n]", t: "[data-key=t]", "?": "[data-key=help]" }[event.key] ?? "[data-key=none]");
  if (event.key === "/") {
    const fields = [...document.querySelectorAll(".global-search input, #search")];
    const field = fields.find((candidate) => candidate.checkVisibility());
    if (!field) return;
    event.preventDefault();
    field.focus();
  } else if (link) {
    event.preventDefault();
    link.click();
  }
});
const keySwitch = document.querySelector("[data-keys-switch]");
if (keySwitch) {
  keySwitch.checked = !keysAreOff();
  keySwitch.addEventListener("change", () => localStorage.setItem("keys", keySwitch.checked ? "on" : "off"));
}
