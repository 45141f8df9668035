// @ts-check
// One answer while it is written: its stream, its progress line, and the fetch of its final form.

import { fragmentOf } from "../portal/html.js";
import { get, post, RequestError } from "../portal/http.js";
import { openStream } from "./eventstream.js";
import { lengthOf } from "./limits.js";
import { MarkdownView } from "./markdown/view.js";
import { Progress } from "./progress.js";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {{ stop(): Promise<void>, isStopping: boolean }} LiveTurn */
/** @typedef {(ended: DocumentFragment, view: MarkdownView) => void} OnEnd */

/**
 * Follow a live turn to its end.
 *
 * @param {HTMLElement} turn
 * @param {Connection} connection
 * @param {OnEnd} onEnd
 * @returns {LiveTurn}
 */
export function follow(turn, connection, onEnd) {
  return new Live(turn, connection, onEnd);
}

class Live {
  isStopping = false;
  #turn;
  #connection;
  #onEnd;
  #view;
  #progress;
  /** All that has arrived: what is shown, except after a stop. */
  #received;
  #begunWith;

  /**
   * @param {HTMLElement} turn
   * @param {Connection} connection
   * @param {OnEnd} onEnd
   */
  constructor(turn, connection, onEnd) {
    this.#turn = turn;
    this.#connection = connection;
    this.#onEnd = onEnd;
    const text = /** @type {HTMLElement} */ (turn.querySelector("[data-markdown]"));
    this.#received = text.textContent ?? "";
    this.#begunWith = this.#received.length;
    this.#view = new MarkdownView(text);
    this.#progress = new Progress(turn);
    if (this.#received) this.#view.replace(this.#received);
    connection.addEventListener("change", this.#onConnection);
    this.#open();
  }

  /** Ask for the end of the answer. From now on the page shows what it shows now, and nothing more. */
  async stop() {
    this.isStopping = true;
    this.#progress.stopping(true);
    try {
      await post(this.#turn.dataset.stopUrl ?? "", { seen: String(lengthOf(this.#received)) });
    } catch (error) {
      // It may have ended in the meantime; otherwise say so by going on.
      if (!(await this.#settle().catch(() => false))) this.#goOn();
      if (error instanceof RequestError && error.isSignedOut) this.#giveUp(error);
    }
  }

  #goOn() {
    this.isStopping = false;
    this.#progress.stopping(false);
    this.#view.replace(this.#received);
  }

  #open() {
    openStream(this.#turn.dataset.eventsUrl ?? "", {
      waiting: (waiting) => this.#progress.wait(waiting),
      started: () => this.#progress.say("Thinking"),
      delta: (piece) => this.#append(piece),
      snapshot: (whole) => this.#replace(whole),
      troubled: (isTroubled) => this.#connection.report(isTroubled),
      settle: () => this.#settle(),
      giveUp: (error) => this.#giveUp(error),
    });
  }

  /** @param {string} piece */
  #append(piece) {
    this.#progress.sayWriting();
    this.#received += piece;
    if (!this.isStopping) this.#view.append(piece);
  }

  /** @param {string} whole */
  #replace(whole) {
    // What a continuation begins with, or the page has from the server, is nothing new.
    if (whole.length > this.#begunWith) this.#progress.sayWriting();
    this.#received = whole;
    if (!this.isStopping) this.#view.replace(whole);
  }

  /** Fetch the turn as the server has it now; take it when it has ended. */
  async #settle() {
    const fragment = await fragmentOf(await get(this.#turn.dataset.turnUrl ?? ""));
    const isLive = fragment.querySelector("[data-live]") !== null;
    if (!isLive) {
      this.#leave();
      this.#onEnd(fragment, this.#view);
    }
    return !isLive;
  }

  /** @param {unknown} error */
  #giveUp(error) {
    this.#leave();
    const isGone = error instanceof RequestError && error.status === 404;
    const isOut = error instanceof RequestError && error.isSignedOut;
    if (isOut) this.#progress.fail("You are signed out. The answer goes on and is kept.", "Sign in and reload");
    else if (isGone) this.#progress.fail("This answer is no longer here.", "Reload");
    else this.#progress.fail("The connection was lost. What arrives meanwhile is kept.", "Reload");
  }

  #leave() {
    this.#progress.end();
    this.#connection.removeEventListener("change", this.#onConnection);
  }

  /** @param {Event} event */
  #onConnection = (event) => {
    this.#progress.trouble(/** @type {CustomEvent<boolean>} */ (event).detail);
  };
}
