// @ts-check
// What can be done about an answer that has ended: regenerate, continue, or edit the question.

import { fragmentOf } from "../portal/html.js";
import { post, RequestError } from "../portal/http.js";
import { keepDraft, readDraft } from "./draft.js";
import { newId } from "./ids.js";
import { isSend } from "./textbox.js";

/** @typedef {import("./turns.js").Turns} Turns */

export class Again {
  #turns;
  /** @type {WeakMap<HTMLFormElement, string>} the text that may have arrived under the form's id */
  #tried = new WeakMap();

  /**
   * @param {HTMLElement} log
   * @param {Turns} turns
   */
  constructor(log, turns) {
    this.#turns = turns;
    log.addEventListener("submit", (event) => this.#onSubmit(event));
    log.addEventListener("keydown", (event) => this.#onKey(event));
    log.addEventListener("input", (event) => this.#onInput(event));
    log.addEventListener("toggle", (event) => this.#onToggle(event), true);
  }

  /** @param {SubmitEvent} event */
  #onSubmit(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    if (form.matches("[data-again]")) this.#send(event, form);
    else if (form.matches("[data-edit]")) this.#sendEdited(event, form);
  }

  /**
   * @param {SubmitEvent} event
   * @param {HTMLFormElement} form
   */
  async #sendEdited(event, form) {
    const { id, box } = partsOf(form);
    const tried = this.#tried.get(form);
    if (tried !== undefined && tried !== box.value) id.value = newId();
    this.#tried.set(form, box.value);
    if (!(await this.#send(event, form))) return;
    keepDraft(form.dataset.draftKey ?? "", "");
    this.#turns.dispatchEvent(new Event("edited"));
  }

  /**
   * @param {SubmitEvent} event
   * @param {HTMLFormElement} form
   * @returns {Promise<boolean>} whether it was taken
   */
  async #send(event, form) {
    event.preventDefault();
    const button = form.querySelector("button");
    if (!button || button.disabled) return false;
    button.disabled = true;
    try {
      const fields = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form)));
      this.#turns.replaceEnd(await fragmentOf(await post(form.action, fields)));
      this.#turns.dispatchEvent(new Event("sent"));
      return true;
    } catch (error) {
      button.disabled = false;
      const words = error instanceof RequestError ? error.message : "That did not work. Reload the page.";
      this.#turns.dispatchEvent(new CustomEvent("refused", { detail: words }));
      return false;
    }
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const form = editFormOf(event);
    if (form && isSend(event)) {
      event.preventDefault();
      form.requestSubmit();
    } else if (form && event.key === "Escape" && !event.isComposing) {
      event.preventDefault(); // closes, and stops nothing
      const details = form.closest("details");
      if (details) details.open = false;
      details?.querySelector("summary")?.focus();
    }
  }

  /** @param {Event} event */
  #onInput(event) {
    const form = editFormOf(event);
    if (form) keepDraft(form.dataset.draftKey ?? "", partsOf(form).box.value);
  }

  /** @param {Event} event a form has been opened or closed */
  #onToggle(event) {
    const details = event.target;
    const form = details instanceof HTMLDetailsElement && details.open && details.querySelector("[data-edit]");
    if (!(form instanceof HTMLFormElement)) return;
    const { box } = partsOf(form);
    box.value = readDraft(form.dataset.draftKey ?? "")?.text ?? box.value;
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }
}

/** @param {HTMLFormElement} form */
function partsOf(form) {
  return {
    id: /** @type {HTMLInputElement} */ (form.elements.namedItem("request_id")),
    box: /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("message")),
  };
}

/** @param {Event} event @returns {HTMLFormElement | null} the edit form that it happened in the box of */
function editFormOf(event) {
  const box = event.target;
  return box instanceof HTMLTextAreaElement && box.form?.matches("[data-edit]") ? box.form : null;
}
