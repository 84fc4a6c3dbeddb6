// The eye beside a password field. Without script there is no button, and nothing is missing.

for (const button of document.querySelectorAll("[data-reveals]")) {
  const field = document.getElementById(button.dataset.reveals);
  const use = button.querySelector("use");
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, shown ? "#eye-off" : "#eye"));
    field.focus();
  });
  // What was shown for a look must not be remembered by the browser as ordinary text.
  field.form.addEventListener("submit", () => {
    field.type = "password";
  });
}
