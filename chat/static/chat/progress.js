// @ts-check
// The line below a live answer: what it waits for, and for how long.

const SHOW_SECONDS_AFTER = 3;
const TROUBLE_AFTER_MS = 3_000;

export class Progress {
  #line;
  #words;
  #elapsed;
  #said = "";
  #isTroubled = false;
  #trouble = 0;
  #tick = 0;
  #startedAt;

  /** @param {HTMLElement} turn */
  constructor(turn) {
    this.#line = turn.querySelector("[data-progress]");
    this.#words = turn.querySelector("[data-progress-words]");
    this.#elapsed = turn.querySelector("[data-elapsed]");
    this.#said = this.#words?.textContent ?? "";
    // Both times are the server's, so this clock need not be right.
    const waited = Number(turn.dataset.now) - Number(turn.dataset.queuedAt);
    this.#startedAt = performance.now() - Math.max(0, waited || 0) * 1000;
    this.#tick = setInterval(() => this.#showElapsed(), 1000);
    this.#showElapsed();
  }

  /** @param {string} words */
  say(words) {
    if (this.#said === "Stopping") return;
    this.#said = words;
    this.#show();
  }

  sayWriting() {
    if (this.#said !== "Writing") this.say("Writing");
  }

  /**
   * Lost connections usually come back at once: only a lasting one is mentioned.
   *
   * @param {boolean} isTroubled
   */
  trouble(isTroubled) {
    if (isTroubled === this.#isTroubled) return;
    this.#isTroubled = isTroubled;
    clearTimeout(this.#trouble);
    if (isTroubled) this.#trouble = setTimeout(() => this.#show("Reconnecting…"), TROUBLE_AFTER_MS);
    else this.#show();
  }

  end() {
    clearInterval(this.#tick);
    clearTimeout(this.#trouble);
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

  #show(words = this.#said) {
    if (this.#words) this.#words.textContent = words;
    this.#showElapsed();
  }

  #showElapsed() {
    if (!this.#elapsed) return;
    const seconds = Math.floor((performance.now() - this.#startedAt) / 1000);
    const isWaiting = this.#said === "Queued" || this.#said === "Thinking";
    this.#elapsed.textContent = isWaiting && seconds >= SHOW_SECONDS_AFTER ? `${seconds} s` : "";
  }
}
