// @ts-check
// Writing and sending a message. The text is never lost: it leaves the box when it is sent, and comes
// back when sending fails.

import { announce } from "../portal/announce.js";
import { RequestError } from "../portal/http.js";
import { keepDraft, readDraft } from "./draft.js";
import { lengthOf, showCount } from "./limits.js";
import { Outbox } from "./outbox.js";
import { fillIn, focusIfKeyboard, growWithText, isSend } from "./textbox.js";

/** @typedef {import("./turns.js").Turns} Turns */

export class Composer {
  #form;
  #box;
  #send;
  #stop;
  #turns;
  #outbox;
  #grow;
  #key;
  #max;
  #isSending = false;
  #usualHint = "";

  /**
   * @param {HTMLFormElement} form
   * @param {Turns} turns
   * @param {() => void} onSend the message has just been shown
   */
  constructor(form, turns, onSend) {
    this.#form = form;
    this.#turns = turns;
    this.#outbox = new Outbox(form, turns, onSend);
    this.#box = /** @type {HTMLTextAreaElement} */ (form.querySelector("[data-composer-input]"));
    this.#send = /** @type {HTMLButtonElement} */ (form.querySelector("[data-send]"));
    this.#stop = /** @type {HTMLButtonElement} */ (form.querySelector("[data-stop]"));
    this.#key = form.dataset.draftKey ?? "";
    this.#max = Number(form.dataset.max) || Infinity;
    this.#grow = growWithText(this.#box);
    this.#usualHint = this.#hint?.textContent ?? "";
    this.#listen();
    this.#restoreDraft();
    this.#update();
    focusIfKeyboard(this.#box);
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#box.addEventListener("keydown", (event) => this.#onKey(event));
    this.#box.addEventListener("input", () => this.#onInput());
    this.#stop.addEventListener("click", () => this.stop());
    this.#turns.addEventListener("change", () => this.#update());
    this.#turns.addEventListener("sent", () => this.#showError(null));
    this.#turns.addEventListener("refused", (event) => {
      this.#showError(new RequestError("", /** @type {CustomEvent<string>} */ (event).detail, 0));
    });
    document.addEventListener("click", (event) => {
      const starter = event.target instanceof Element && event.target.closest("[data-starter]");
      if (!(starter instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault(); // a prompt of the library is a link, too
      fillIn(this.#box, starter.dataset.starter ?? "");
    });
    addEventListener("pageshow", (event) => {
      // Back on a page that has sent its message and gone on: it shows what is no longer true.
      if (event.persisted && document.querySelector("[data-sending]")) location.reload();
    });
  }

  focus() {
    this.#box.focus();
  }

  stop() {
    const live = this.#turns.live;
    if (!live || live.isStopping) return;
    live.stop().then(() => this.#update());
    this.#update();
    focusIfKeyboard(this.#box);
  }

  #restoreDraft() {
    const draft = readDraft(this.#key);
    if (!draft || this.#box.value) return;
    this.#box.value = draft.text;
    this.#outbox.resume(draft);
    this.#grow();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (!isSend(event)) return;
    event.preventDefault();
    this.#submit();
  }

  #onInput() {
    keepDraft(this.#key, this.#box.value, this.#outbox.uncertainId(this.#box.value));
    this.#update();
  }

  /** @returns {string} why the message cannot be sent now, or "" */
  #obstacle() {
    if (this.#isSending) return "The message is being sent.";
    if (this.#turns.live) return "Wait for the answer, or stop it, before you send the next message.";
    if (!this.#box.value.trim()) return "Write a message first.";
    const over = lengthOf(this.#box.value) - this.#max;
    return over > 0 ? `The message is ${over.toLocaleString("en")} characters too long.` : "";
  }

  #update() {
    const live = this.#turns.live;
    const obstacle = this.#obstacle();
    this.#send.hidden = live !== null;
    this.#stop.hidden = live === null;
    this.#stop.disabled = live?.isStopping ?? false;
    this.#send.setAttribute("aria-disabled", String(obstacle !== ""));
    this.#send.title = obstacle || "Send";
    if (this.#hint) this.#hint.textContent = this.#usualHint;
    showCount(this.#form, this.#box.value, this.#max);
  }

  async #submit() {
    const obstacle = this.#obstacle();
    if (obstacle) {
      announce(obstacle);
      if (this.#hint) this.#hint.textContent = obstacle;
      return;
    }
    const text = this.#box.value;
    this.#showError(null);
    this.#setText("");
    this.#setSending(true);
    try {
      await this.#outbox.send(text);
      keepDraft(this.#key, this.#box.value);
    } catch (error) {
      this.#putBack(text);
      this.#showError(error);
    }
    this.#setSending(false);
    focusIfKeyboard(this.#box);
  }

  /** @param {string} text goes before what was typed meanwhile */
  #putBack(text) {
    const typed = this.#box.value;
    this.#setText(typed ? `${text}\n\n${typed}` : text);
    keepDraft(this.#key, this.#box.value, this.#outbox.uncertainId(this.#box.value));
  }

  /** @param {string} text */
  #setText(text) {
    this.#box.value = text;
    this.#grow();
    this.#update();
  }

  /** @param {boolean} isSending */
  #setSending(isSending) {
    this.#isSending = isSending;
    this.#update();
  }

  /** The line below the box: why a message was not sent, until something changes. */
  get #hint() {
    return this.#form.querySelector("[data-hint]");
  }

  /** @param {unknown} error */
  #showError(error) {
    const box = this.#form.querySelector("[data-composer-error]");
    const words = this.#form.querySelector("[data-composer-error-text]");
    const link = this.#form.querySelector("[data-sign-in]");
    if (!(box instanceof HTMLElement) || !words) return;
    box.hidden = error === null;
    const isKnown = error instanceof RequestError;
    words.textContent = isKnown ? error.message : "That did not work. Your text is kept; reload the page.";
    if (link instanceof HTMLAnchorElement) {
      link.hidden = !(isKnown && error.isSignedOut);
      link.search = new URLSearchParams({ next: location.pathname }).toString();
    }
  }
}
