// Shows the subject that the server will generate, while somebody types. The server alone decides what is stored.
const output = document.querySelector("output[data-patterns]");

function show(form) {
  const fields = new FormData(form);
  const scenario = fields.get("scenario");
  const pattern = JSON.parse(output.dataset.patterns)[scenario === "github" ? fields.get("entity") : scenario] ?? "";
  output.textContent = pattern.replace(/\{(\w+)\}/g, (part, name) => fields.get(name)?.trim() || part);
}

if (output) {
  const form = output.closest("form");
  form.addEventListener("input", () => show(form));
  show(form);
}
