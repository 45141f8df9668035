// @ts-check
// The line below a live answer: what it waits for, and for how long.

import { timer } from "./countdown.js";
import { wordsFor } from "./waiting.js";

/** @typedef {import("./waiting.js").Waiting} Waiting */

const SHOW_SECONDS_AFTER = 3;
const STOPPING = "Stopping";
const WRITING = "Writing";

export class Progress {
  #line;
  #words;
  #elapsed;
  #tick = 0;
  #startedAt;
  #isStopping = false;
  #isTroubled = false;
  /** @type {() => string} */
  #say;

  /** @param {HTMLElement} turn */
  constructor(turn) {
    const { reason, ahead = "", seconds = "", now, queuedAt } = turn.dataset;
    this.#line = turn.querySelector("[data-progress]");
    this.#words = turn.querySelector("[data-progress-words]");
    this.#elapsed = turn.querySelector("[data-elapsed]");
    const first = this.#words?.textContent?.trim() ?? "";
    this.#say = () => first;
    // Both times are the server's, so this clock need not be right.
    const waited = Number(now) - Number(queuedAt);
    this.#startedAt = performance.now() - Math.max(0, waited || 0) * 1000;
    this.#tick = setInterval(() => this.#show(), 1000);
    if (reason) this.wait({ reason, ahead, seconds });
    this.#show();
  }

  /** @param {string} words */
  say(words) {
    this.#say = () => words;
    this.#show();
  }

  sayWriting() {
    if (this.#say() !== WRITING) this.say(WRITING);
  }

  /** @param {Waiting} waiting seconds run down by themselves */
  wait({ reason, ahead, seconds }) {
    const left = timer(Number(seconds));
    this.#say = () => wordsFor(reason, Number(ahead), left());
    this.#show();
  }

  /** @param {boolean} isStopping that is said until it is over, whatever else comes */
  stopping(isStopping) {
    this.#isStopping = isStopping;
    this.#show();
  }

  /** @param {boolean} isTroubled whether the connection has been down for a while */
  trouble(isTroubled) {
    this.#isTroubled = isTroubled;
    this.#show();
  }

  end() {
    clearInterval(this.#tick);
  }

  /**
   * The end of what this page can know, with a way on.
   *
   * @param {string} words
   * @param {string} action
   */
  fail(words, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "turn-link";
    button.textContent = action;
    button.addEventListener("click", () => location.reload());
    this.#line?.replaceChildren(words, " ", button);
  }

  get #shown() {
    if (this.#isTroubled) return "Reconnecting…";
    return this.#isStopping ? STOPPING : this.#say();
  }

  #show() {
    const words = this.#shown;
    if (this.#words && this.#words.textContent !== words) this.#words.textContent = words;
    if (!this.#elapsed) return;
    const seconds = Math.floor((performance.now() - this.#startedAt) / 1000);
    const isWaiting = words.startsWith("Queued") || words === "Thinking";
    this.#elapsed.textContent = isWaiting && seconds >= SHOW_SECONDS_AFTER ? `${seconds} s` : "";
  }
}
