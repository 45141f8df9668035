// @ts-check
// Says that a chosen file is too large before it is sent: the server would refuse the whole form.

/** @param {HTMLInputElement} field */
function check(field) {
  const most = Number(field.dataset.maxBytes);
  const isTooLarge = [...(field.files ?? [])].some((file) => file.size > most);
  const megabytes = (most / 1_048_576).toLocaleString("en");
  field.setCustomValidity(isTooLarge ? `This file is too large. It may have ${megabytes} MB.` : "");
  field.reportValidity();
}

addEventListener("change", (event) => {
  const field = event.target;
  if (field instanceof HTMLInputElement && field.type === "file" && field.dataset.maxBytes) check(field);
});
