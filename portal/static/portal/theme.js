// @ts-check
// The theme switch: system → light → dark → system. Kept in this browser; other open tabs follow.

import { announce } from "./announce.js";
import { recall, remember } from "./storage.js";

const KEY = "atrium:theme";
const NEXT = new Map([
  ["system", "light"],
  ["light", "dark"],
  ["dark", "system"],
]);

/** @returns {string} */
function current() {
  return document.documentElement.dataset.theme ?? "system";
}

/** @param {string} theme */
function apply(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const label of document.querySelectorAll("[data-theme-label]")) {
    label.textContent = `Theme: ${theme}`;
  }
}

function change() {
  const theme = NEXT.get(current()) ?? "system";
  remember(KEY, theme === "system" ? null : theme);
  apply(theme);
  announce(`Theme: ${theme}`);
}

function follow() {
  const stored = recall(KEY);
  apply(stored === "light" || stored === "dark" ? stored : "system");
}

export function mountTheme() {
  follow();
  for (const button of document.querySelectorAll("[data-theme-button]")) {
    button.addEventListener("click", change);
  }
  addEventListener("storage", (event) => {
    if (event.key === KEY) follow();
  });
  addEventListener("pageshow", follow);
}
