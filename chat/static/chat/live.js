// @ts-check
// One answer while it is written: its stream, its progress line, and the fetch of its final form.

import { fragmentOf } from "../portal/html.js";
import { get, post, RequestError } from "../portal/http.js";
import { openStream } from "./eventstream.js";
import { MarkdownView } from "./markdown/view.js";
import { Progress } from "./progress.js";

/** @typedef {{ stop(): Promise<void>, isStopping: boolean }} LiveTurn */

/**
 * Follow a live turn to its end.
 *
 * @param {HTMLElement} turn
 * @param {(ended: DocumentFragment, view: MarkdownView) => void} onEnd
 * @returns {LiveTurn}
 */
export function follow(turn, onEnd) {
  const { eventsUrl = "", stopUrl = "", turnUrl = "" } = turn.dataset;
  const text = /** @type {HTMLElement} */ (turn.querySelector("[data-markdown]"));
  const view = new MarkdownView(text);
  const progress = new Progress(turn);
  if (text.textContent) view.replace(text.textContent);

  /** Fetch the turn as the server has it now; take it when it has ended. */
  async function settle() {
    const fragment = await fragmentOf(await get(turnUrl));
    const isLive = fragment.querySelector("[data-live]") !== null;
    if (!isLive) {
      progress.end();
      onEnd(fragment, view);
    }
    return !isLive;
  }

  /** @param {unknown} error */
  function giveUp(error) {
    progress.end();
    const isGone = error instanceof RequestError && error.status === 404;
    const isOut = error instanceof RequestError && error.isSignedOut;
    if (isOut) progress.fail("You are signed out. The answer goes on and is kept.", "Sign in and reload");
    else if (isGone) progress.fail("This answer is no longer here.", "Reload");
    else progress.fail("The connection was lost. What arrives meanwhile is kept.", "Reload");
  }

  openStream(eventsUrl, {
    started: () => progress.say("Thinking"),
    delta: (piece) => {
      progress.sayWriting();
      view.append(piece);
    },
    snapshot: (whole) => {
      if (whole) progress.sayWriting();
      view.replace(whole);
    },
    troubled: (isTroubled) => progress.trouble(isTroubled),
    settle,
    giveUp,
  });

  return {
    isStopping: false,
    async stop() {
      this.isStopping = true;
      progress.say("Stopping");
      try {
        await post(stopUrl);
      } catch (error) {
        this.isStopping = false;
        // It may have ended in the meantime; otherwise say so by going on.
        if (!(await settle().catch(() => false))) progress.sayWriting();
        if (error instanceof RequestError && error.isSignedOut) giveUp(error);
      }
    },
  };
}
