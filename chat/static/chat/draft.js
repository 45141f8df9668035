// @ts-check
// What was typed and not sent, per person, tenant and conversation. Kept in this browser for 30 days.

import { recall, remember } from "../portal/storage.js";

const PREFIX = "atrium:draft:";
const KEEP_MS = 30 * 24 * 3600 * 1000;

/** @typedef {{ text: string, requestId: string, at: number }} Draft */

/** @param {string | null} stored @returns {Draft | null} */
function parse(stored) {
  try {
    const draft = JSON.parse(stored ?? "null");
    return typeof draft?.text === "string" ? draft : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @returns {Draft | null}
 */
export function readDraft(key) {
  return parse(recall(PREFIX + key));
}

/**
 * @param {string} key
 * @param {string} text "" forgets the draft
 * @param {string} requestId of a send whose outcome is unknown; the same text repeats the same send
 */
export function keepDraft(key, text, requestId = "") {
  const draft = { text, requestId, at: Date.now() };
  remember(PREFIX + key, text ? JSON.stringify(draft) : null);
}

/** Forget what nobody came back to. */
export function dropOldDrafts() {
  const oldest = Date.now() - KEEP_MS;
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX) && (parse(recall(name))?.at ?? 0) < oldest) remember(name, null);
    }
  } catch {
    // Storage is blocked: there are no drafts.
  }
}
