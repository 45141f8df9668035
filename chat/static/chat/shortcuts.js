// @ts-check
// Keyboard shortcuts. None of them takes a key that types text.

import { goToSearch, toggleSidebar } from "./sidebar.js";

const isMac = /mac|iphone|ipad/i.test(navigator.userAgent);

function showList() {
  const dialog = document.querySelector("[data-shortcuts-dialog]");
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

/** @param {KeyboardEvent} event */
function nameOf(event) {
  const hasModifier = isMac ? event.metaKey : event.ctrlKey;
  if (!hasModifier || event.altKey) return "";
  return `${event.shiftKey ? "shift+" : ""}${event.key.toLowerCase()}`;
}

/** @param {{ stop(): void }} composer */
export function mountShortcuts(composer) {
  /** @type {Map<string, () => void>} */
  const actions = new Map([
    ["k", goToSearch],
    ["shift+s", toggleSidebar],
    ["/", showList],
  ]);
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    const action = actions.get(nameOf(event));
    if (action) {
      event.preventDefault();
      action();
    } else if (event.key === "Escape" && !document.querySelector("dialog[open], :popover-open")) {
      composer.stop();
    }
  });
  for (const button of document.querySelectorAll("[data-show-shortcuts]")) {
    button.addEventListener("click", showList);
  }
  if (!isMac) return;
  for (const key of document.querySelectorAll("[data-key-modifier]")) key.textContent = "⌘";
}
