// Certificates & secrets, beyond what every page does: the value that is shown once, and findings beside a chosen file.
// Without this file both work: Done is checked by the server, and the findings come with the answer to Add.

// ------------------------------------------------------- shown once
const once = document.querySelector("[data-unstored]");
const question = document.getElementById("leaving");

if (once) {
  // Reload and Back lead to the list instead of asking whether to send the form again.
  history.replaceState(null, "", once.dataset.then);
  once.focus({ preventScroll: true });
}

function wipe() {
  for (const part of document.querySelectorAll("[data-wipes]")) part.textContent = "";
}

// Browsers may keep a page they left in memory, whatever its headers say: nothing of the value stays in it.
if (once) {
  addEventListener("pagehide", wipe);
  addEventListener("pageshow", (event) => { if (event.persisted) location.replace(once.dataset.then); });
}

let leadsTo = null;
// In the capture phase, so that a link which would open a panel is held back too.
if (once && question) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.target === "_blank" || link.getAttribute("href").startsWith("#") || link.hasAttribute("download")) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0 || !once.hasAttribute("data-unstored")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    leadsTo = link.href;
    question.returnValue = "";
    question.showModal();
  }, { capture: true });
  question.addEventListener("close", () => {
    if (question.returnValue !== "leave") return;
    once.removeAttribute("data-unstored");
    location.assign(leadsTo);
  });
}

// --------------------------------------------------------- findings
// As soon as a file is chosen, the server says what it is. It keeps nothing; only Add stores.
const latest = new WeakMap();

async function examine(form) {
  const part = form.querySelector("[data-findings]");
  const chosen = form.querySelector("input[name=certificate_file]");
  if (!part || !chosen) return;
  latest.get(form)?.abort();
  if (!chosen.files.length) {
    part.replaceChildren();
    return;
  }
  const run = new AbortController();
  latest.set(form, run);
  const body = new FormData(form);
  for (const name of ["current_password", "accepted", "description"]) body.delete(name);
  part.setAttribute("aria-busy", "true");
  let found = [];
  try {
    const answer = await fetch(form.dataset.examines, { method: "POST", body, signal: run.signal, headers: { Accept: "text/html" } });
    // A sign-in page or an error page is no list of findings; Add will say what is wrong.
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const isFindings = !answer.redirected && !page.querySelector("main");
    if (isFindings) found = [...page.body.childNodes].map((node) => document.adoptNode(node));
  } finally {
    // Of a server that is away nothing stays, least of all what was found in another file.
    if (latest.get(form) === run) {
      part.replaceChildren(...found);
      part.removeAttribute("aria-busy");
    }
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-examines]");
  if (!form || !["certificate_file", "key_file", "password", "keep_private_key"].includes(event.target.name)) return;
  examine(form).catch(() => {}); // aborted by the next choice, or the server is away: Add will say so
});
