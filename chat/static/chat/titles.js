// @ts-check
// The title of a conversation, wherever the page shows it. A model may give one a moment after the
// first answer: then the row is looked up, a few times and no longer.

import { fragmentOf } from "../portal/html.js";
import { get } from "../portal/http.js";

/** @typedef {import("./rows.js").Rows} Rows */

// The title is the work of a few seconds; one that takes longer is seen on the next page.
const LOOK_AFTER_MS = [1_500, 2_500, 5_000, 10_000];

/**
 * Show the title of this row everywhere in the page.
 *
 * @param {HTMLElement} list
 * @param {Rows} rows
 * @param {HTMLElement} next the row from the server
 */
export function showTitle(list, rows, next) {
  const { id = "", title = "" } = next.dataset;
  const old = list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  const hadFocus = old?.contains(document.activeElement);
  old?.replaceWith(next);
  if (hadFocus) next.querySelector("a")?.focus();
  rows.refresh();
  if (id !== list.dataset.current) return;
  const heading = document.querySelector("[data-heading] bdi");
  const button = document.querySelector("[data-title-menu]");
  if (heading) heading.textContent = title;
  if (button instanceof HTMLElement) button.dataset.title = title;
  document.title = `${title} · Atrium`;
}

/**
 * Wait for the title that a model gives, after the conversation's first answer.
 *
 * @param {HTMLElement} list
 * @param {Rows} rows
 */
export async function awaitTitle(list, rows) {
  const heading = document.querySelector("[data-heading][data-awaits-title]");
  heading?.removeAttribute("data-awaits-title"); // once
  for (const pause of heading ? LOOK_AFTER_MS : []) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (await refreshTitle(list, rows)) return;
  }
}

/**
 * Look up the title, once.
 *
 * @param {HTMLElement} list
 * @param {Rows} rows
 * @returns {Promise<boolean>} whether there is nothing to wait for any more
 */
export async function refreshTitle(list, rows) {
  const heading = document.querySelector("[data-heading]");
  if (!(heading instanceof HTMLElement)) return true;
  const next = await rowAt(heading.dataset.rowUrl ?? "");
  if (!next || document.querySelector("[data-rename-form]")) return true;
  const isNew = next.dataset.title !== heading.textContent?.trim();
  if (isNew) showTitle(list, rows, next);
  return isNew;
}

/** @param {string} url @returns {Promise<HTMLElement | null>} null: it cannot be had */
async function rowAt(url) {
  try {
    const row = (await fragmentOf(await get(url))).querySelector("[data-row]");
    return row instanceof HTMLElement ? row : null;
  } catch {
    return null; // the title is there after the next reload
  }
}
