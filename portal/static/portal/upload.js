// @ts-check
// Keeps a form with too large a file from being sent: the server would refuse it with all that was
// typed. The admin's forms are not checked by the browser itself (`novalidate`).

/** @param {Element | EventTarget | null} field @returns {field is HTMLInputElement} */
function hasLimit(field) {
  return field instanceof HTMLInputElement && field.type === "file" && "maxBytes" in field.dataset;
}

/** @param {HTMLInputElement} field @returns {boolean} whether it may be sent */
function check(field) {
  const most = Number(field.dataset.maxBytes);
  const isTooLarge = [...(field.files ?? [])].some((file) => file.size > most);
  const megabytes = (most / 1_048_576).toLocaleString("en");
  field.setCustomValidity(isTooLarge ? `This file is too large. It may have ${megabytes} MB.` : "");
  return field.reportValidity();
}

addEventListener("change", (event) => {
  if (hasLimit(event.target)) check(event.target);
});

addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    if (![...form.elements].filter(hasLimit).every(check)) {
      event.preventDefault();
      event.stopPropagation();
    }
  },
  { capture: true },
);
