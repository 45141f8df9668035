// @ts-check
// Copy buttons of answers and code blocks.

import { announce } from "../portal/announce.js";

/** @type {WeakMap<Element, string>} the Markdown that an answer was rendered from */
const sources = new WeakMap();

/**
 * @param {Element} turn
 * @param {string} markdown
 */
export function keepSource(turn, markdown) {
  sources.set(turn, markdown);
}

/** @param {string} text */
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain http outside this machine: browsers offer only the old way.
  const box = document.createElement("textarea");
  box.value = text;
  box.className = "visually-hidden";
  document.body.append(box);
  box.select();
  const isCopied = document.execCommand("copy");
  box.remove();
  if (!isCopied) throw new Error("copying was refused");
}

/**
 * Show for two seconds that it worked.
 *
 * @param {Element} button
 */
function confirmOn(button) {
  const use = button.querySelector("use");
  const label = button.querySelector("[data-copy-label]");
  const icon = use?.getAttribute("href") ?? "";
  if (icon.endsWith("#check")) return;
  use?.setAttribute("href", icon.replace(/#.*/, "#check"));
  if (label) label.textContent = "Copied";
  setTimeout(() => {
    use?.setAttribute("href", icon);
    if (label) label.textContent = "Copy";
  }, 2000);
}

/**
 * @param {Element} button
 * @returns {string | null}
 */
function textFor(button) {
  if (button.matches("[data-copy-code]")) {
    return button.closest("figure")?.querySelector("code")?.textContent ?? null;
  }
  const turn = button.closest("[data-turn]");
  return turn ? (sources.get(turn) ?? null) : null;
}

/** @param {HTMLElement} log */
export function mountCopy(log) {
  log.addEventListener("click", async (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("[data-copy-answer], [data-copy-code]");
    const text = button && textFor(button);
    if (!button || text === null || text === undefined) return;
    try {
      await write(text);
      confirmOn(button);
      announce("Copied");
    } catch {
      announce("Copying is blocked by the browser");
    }
  });
}
