// Makes or uses a passkey: the form holds the server's question in data-options, and takes the browser's answer along.
const form = document.querySelector("form[data-passkey]");
const makes = form?.dataset.passkey === "create";
const read = makes ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";

async function ask() {
  const publicKey = PublicKeyCredential[read](JSON.parse(form.dataset.options));
  const credential = await navigator.credentials[makes ? "create" : "get"]({ publicKey });
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.submit();
}

if (form && window.PublicKeyCredential?.[read]) {
  form.hidden = false;
  for (const part of document.querySelectorAll("[data-without-passkey]")) part.hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask().catch((error) => {
      const known = error.name === "InvalidStateError";
      const said = form.querySelector("[data-passkey-said]");
      said.textContent = known
        ? "This device holds a passkey of yours already."
        : "The browser gave no passkey: it was cancelled, took too long, or this address does not fit. Try again.";
      said.hidden = false;
    });
  });
}
