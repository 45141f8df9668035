// @ts-check
// The turns of the page: text is formatted, live answers are followed, ended ones can be asked again.

import { announce } from "../portal/announce.js";
import { fragmentOf } from "../portal/html.js";
import { post, RequestError } from "../portal/http.js";
import { keepSource } from "./copy.js";
import { follow } from "./live.js";
import { renderMarkdown } from "./markdown/view.js";

/** @typedef {import("./live.js").LiveTurn} LiveTurn */

const FRAME_BUDGET_MS = 50;

export class Turns extends EventTarget {
  #log;
  /** @type {LiveTurn | null} */
  #live = null;

  /** @param {HTMLElement} log */
  constructor(log) {
    super();
    this.#log = log;
    log.addEventListener("submit", (event) => this.#retry(event));
  }

  /** The answer that is being written, if any. */
  get live() {
    return this.#live;
  }

  /** Take in what the server rendered: the latest first, since that is what is seen. */
  mountAll() {
    /** @type {NodeListOf<HTMLElement>} */
    const turns = this.#log.querySelectorAll("[data-turn]");
    this.#mountSome([...turns].reverse());
  }

  /**
   * As many as there is time for now; the others, in a long conversation, soon.
   *
   * @param {HTMLElement[]} turns
   */
  #mountSome(turns) {
    const deadline = performance.now() + FRAME_BUDGET_MS;
    let done = 0;
    while (done < turns.length && performance.now() < deadline) {
      const turn = turns[done];
      if (turn) this.#mount(turn);
      done += 1;
    }
    if (done < turns.length) setTimeout(() => this.#mountSome(turns.slice(done)));
  }

  /**
   * @param {DocumentFragment} fragment turns from the server
   * @param {Element} [placeholder] what they replace; without one they are added at the end
   */
  add(fragment, placeholder) {
    const turns = [...fragment.querySelectorAll("[data-turn]")];
    if (placeholder) placeholder.replaceWith(fragment);
    else this.#log.append(fragment);
    for (const turn of turns) if (turn instanceof HTMLElement) this.#mount(turn);
  }

  /** @param {HTMLElement} turn */
  #mount(turn) {
    if ("live" in turn.dataset) return this.#follow(turn);
    const text = turn.querySelector("[data-markdown]");
    if (!(text instanceof HTMLElement)) return;
    keepSource(turn, text.textContent ?? "");
    renderMarkdown(text);
  }

  /** @param {HTMLElement} turn */
  #follow(turn) {
    this.#log.setAttribute("aria-busy", "true");
    announce("Answer started");
    this.#live = follow(turn, (fragment, view) => this.#end(turn, fragment, view));
    this.dispatchEvent(new Event("change"));
  }

  /**
   * The answer has ended: the server's turn takes the place of the live one. What is already drawn
   * stays in place when it is the same text, with its selection.
   *
   * @param {HTMLElement} turn
   * @param {DocumentFragment} fragment
   * @param {import("./markdown/view.js").MarkdownView} view
   */
  #end(turn, fragment, view) {
    const next = fragment.querySelector("[data-turn]");
    if (!(next instanceof HTMLElement)) return;
    const drawn = turn.querySelector("[data-markdown]");
    const written = next.querySelector("[data-markdown]");
    const text = written?.textContent ?? "";
    const isSame = drawn && written && view.source === text.replaceAll("\r", "");
    if (isSame) {
      view.finish();
      written.replaceWith(drawn);
    }
    turn.replaceWith(next);
    this.#live = null;
    this.#log.setAttribute("aria-busy", "false");
    if (isSame) keepSource(next, text);
    else this.#mount(next);
    announce(spoken(next));
    this.dispatchEvent(new Event("change"));
  }

  /** @param {SubmitEvent} event */
  async #retry(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-retry]")) return;
    event.preventDefault();
    const turn = form.closest("[data-turn]");
    const button = form.querySelector("button");
    if (!turn || !button || button.disabled) return;
    button.disabled = true;
    try {
      const id = new FormData(form).get("request_id");
      const response = await post(form.action, { request_id: String(id) });
      this.add(await fragmentOf(response), turn);
      this.dispatchEvent(new Event("sent"));
    } catch (error) {
      button.disabled = false;
      const words = error instanceof RequestError ? error.message : "That did not work. Reload the page.";
      this.dispatchEvent(new CustomEvent("refused", { detail: words }));
    }
  }
}

/**
 * What a screen reader says about the end of an answer.
 *
 * @param {HTMLElement} turn
 */
function spoken(turn) {
  const state = turn.querySelector("[data-state] p")?.textContent?.trim();
  return state || "Answer complete";
}
