// @ts-check
// Questions and news in the page's own dialog. Escape and "Cancel" mean no; focus returns by itself.

/**
 * @param {string} title
 * @param {string} body
 * @param {string} action "" when there is nothing to decide
 * @returns {Promise<boolean>}
 */
function ask(title, body, action) {
  const dialog = document.querySelector("[data-confirm-dialog]");
  if (!(dialog instanceof HTMLDialogElement)) return Promise.resolve(false);

  /** @param {string} name @param {string} text */
  const fill = (name, text) => {
    const part = dialog.querySelector(`[data-confirm-${name}]`);
    if (part) part.textContent = text;
  };
  fill("title", title);
  fill("body", body);
  fill("action", action);
  fill("cancel", action ? "Cancel" : "Close");
  dialog.querySelector("[data-confirm-action]")?.toggleAttribute("hidden", !action);

  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/**
 * @param {{ title: string, body: string, action: string }} words
 * @returns {Promise<boolean>} whether the answer was yes
 */
export function confirmWith({ title, body, action }) {
  return ask(title, body, action);
}

/** @param {{ title: string, body: string }} words */
export async function tell({ title, body }) {
  await ask(title, body, "");
}
