// Tries a refused test again while a directory may not know a new credential yet. Each try sends the page's own form;
// the server says on the page of the new run whether to go on. Without this file the button "Try again" does the same
// one press at a time.
const STOPPED = "#stopped";
const plan = document.querySelector("#patience[data-pause]");

function start() {
  const form = plan.querySelector("form");
  const status = plan.querySelector("[data-status]");
  const countdown = plan.querySelector("[data-countdown]");
  const stop = plan.querySelector("[data-stops]");
  let told = plan.dataset.told;
  let latest = location.pathname;
  let timer = 0;
  let running = null;

  function halt(words) {
    clearInterval(timer);
    running?.abort();
    running = null;
    stop.hidden = true;
    countdown.hidden = true;
    if (words) status.textContent = words;
  }

  // The region is told of each try once; the seconds count down beside it, silently.
  function wait() {
    const at = Date.now() + plan.dataset.pause * 1000;
    const silent = document.createElement("span");
    silent.className = "visually-hidden";
    silent.textContent = `The next try is in ${plan.dataset.pause} s.`;
    status.replaceChildren(`${told} `, silent);
    countdown.hidden = false;
    const tick = () => {
      const left = Math.ceil((at - Date.now()) / 1000);
      countdown.textContent = `Next try in ${Math.max(left, 0)} s.`;
      if (left > 0) return;
      clearInterval(timer);
      attempt();
    };
    tick();
    timer = setInterval(tick, 250);
  }

  async function attempt() {
    const own = running = new AbortController();
    countdown.hidden = true;
    status.textContent = `${told} The next try is under way.`;
    let address, page;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), signal: own.signal, headers: { Accept: "text/html" } });
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
      address = answer.url;
    } catch {
      page = null;
    }
    if (running !== own) return; // stopped meanwhile
    if (!page?.querySelector("[data-verdict]")) {
      halt("The server did not run the test. Press Try again to see why.");
      return;
    }
    const next = page.querySelector("#patience[data-pause]");
    if (!next) {
      location.replace(address);
      return;
    }
    latest = new URL(address).pathname;
    told = next.dataset.told;
    wait();
  }

  for (const part of plan.querySelectorAll("[data-with-patience], [data-stops]")) part.hidden = false;
  stop.addEventListener("click", () => {
    halt(`${told} Stopped.`);
    form.querySelector("button").focus();
    if (latest === location.pathname) history.replaceState(null, "", STOPPED);
    else location.replace(latest + STOPPED);
  });
  form.addEventListener("submit", () => halt(""));
  wait();
}

if (plan && location.hash === STOPPED) plan.querySelector("[data-status]").textContent = `${plan.dataset.told} Stopped.`;
else if (plan) start();
