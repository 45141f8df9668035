// @ts-check
// One message on its way: shown at once, sent under an id that makes a repeated send harmless.

import { fragmentOf } from "../portal/html.js";
import { post, RequestError } from "../portal/http.js";
import { newId } from "./ids.js";

/** @typedef {import("./turns.js").Turns} Turns */

export class Outbox {
  #form;
  #turns;
  #onSend;
  #requestId;
  #uncertainText = "";

  /**
   * @param {HTMLFormElement} form
   * @param {Turns} turns
   * @param {() => void} onSend
   */
  constructor(form, turns, onSend) {
    this.#form = form;
    this.#turns = turns;
    this.#onSend = onSend;
    const field = form.elements.namedItem("request_id");
    this.#requestId = field instanceof HTMLInputElement ? field.value : newId();
  }

  /**
   * A draft of an earlier page: if its send may have arrived, the same text goes under the same id.
   *
   * @param {{ text: string, requestId: string }} draft
   */
  resume({ text, requestId }) {
    if (!requestId) return;
    this.#requestId = requestId;
    this.#uncertainText = text;
  }

  /** @param {string} text @returns {string} the id under which this very text may have arrived */
  uncertainId(text) {
    return text === this.#uncertainText ? this.#requestId : "";
  }

  /**
   * @param {string} text
   * @returns {Promise<void>} rejects with a RequestError; then nothing of it stays in the page
   */
  async send(text) {
    if (this.#uncertainText && text !== this.#uncertainText) this.#requestId = newId();
    const shown = this.#show(text);
    try {
      const response = await post(this.#form.action, this.#fields(text));
      await this.#arrived(response, shown);
    } catch (error) {
      for (const node of shown) node.remove();
      this.#showEmpty(true);
      const isUncertain = error instanceof RequestError && error.isUncertain;
      this.#uncertainText = isUncertain ? text : "";
      throw error;
    }
    this.#uncertainText = "";
    this.#requestId = newId();
  }

  /** @param {string} text */
  #fields(text) {
    /** @type {Record<string, string>} */
    const fields = { message: text, request_id: this.#requestId };
    const picker = this.#form.elements.namedItem("deployment");
    if (picker instanceof HTMLSelectElement) fields.deployment = picker.value;
    return fields;
  }

  /**
   * @param {Response} response
   * @param {Element[]} shown
   */
  async #arrived(response, shown) {
    const address = response.headers.get("Location");
    if (address) {
      location.assign(address); // a new conversation: its own page goes on
      return;
    }
    this.#turns.add(await fragmentOf(response), shown[0]);
    this.#onSend();
  }

  /** @param {string} text @returns {Element[]} */
  #show(text) {
    const template = document.querySelector("template[data-template=sending]");
    if (!(template instanceof HTMLTemplateElement)) return [];
    const copy = document.importNode(template.content, true);
    const bubble = copy.querySelector("[data-text]");
    if (bubble) bubble.textContent = text;
    const shown = [...copy.children];
    document.querySelector("[data-log]")?.append(...shown);
    this.#showEmpty(false);
    this.#onSend();
    return shown;
  }

  /** @param {boolean} isEmpty */
  #showEmpty(isEmpty) {
    const empty = document.querySelector("[data-empty]");
    if (empty instanceof HTMLElement) empty.hidden = !isEmpty;
  }
}
