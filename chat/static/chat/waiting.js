// @ts-check
// What an answer waits for that no worker has taken yet, in words.

import { duration } from "./countdown.js";

/** @typedef {{ reason: string, ahead: string, seconds: string }} Waiting as the stream tells it */

/**
 * The same words as the server's (chat/templates/chat/_waiting.html).
 *
 * @param {string} reason
 * @param {number} ahead
 * @param {number} seconds
 */
export function wordsFor(reason, ahead, seconds) {
  const answers = ahead === 1 ? "1 answer" : `${ahead} answers`;
  switch (reason) {
    case "limit":
      return `Waiting: you have ${answers} running`;
    case "tenant_limit":
      return `Waiting: your organisation has ${answers} running, as many as it may`;
    case "platform_limit":
      return "Waiting: Atrium is busy with as many answers as it may write at once";
    case "provider":
      if (seconds > 0) return `Waiting for the model; its provider asks to wait ${duration(seconds)}`;
      return "Waiting for the model; it is being tried again";
    case "pause":
      if (seconds > 0) return `Waiting for the model, which does not answer; next try in ${duration(seconds)}`;
      return "Waiting for the model; it is being tried again";
    default:
      return ahead > 0 ? `Queued, ${ahead} ahead of you` : "Queued";
  }
}
