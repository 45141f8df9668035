// @ts-check
// The turns of the page: text is formatted, live answers are followed to their end.

import { announce } from "../portal/announce.js";
import { keepSource } from "./copy.js";
import { countDownIn } from "./countdown.js";
import { follow } from "./live.js";
import { renderMarkdown } from "./markdown/view.js";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./live.js").LiveTurn} LiveTurn */

const FRAME_BUDGET_MS = 50;

export class Turns extends EventTarget {
  #log;
  #connection;
  /** @type {LiveTurn | null} */
  #live = null;

  /**
   * @param {HTMLElement} log
   * @param {Connection} connection
   */
  constructor(log, connection) {
    super();
    this.#log = log;
    this.#connection = connection;
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

  /**
   * @param {DocumentFragment} fragment earlier turns from the server, which go before the others
   */
  prepend(fragment) {
    /** @type {NodeListOf<HTMLElement>} */
    const turns = fragment.querySelectorAll("[data-turn]");
    this.#log.prepend(fragment);
    for (const turn of turns) this.#mount(turn);
  }

  /**
   * @param {DocumentFragment} fragment goes in the place of all answers to the last question, and of
   *   the question itself if it has another one
   */
  replaceEnd(fragment) {
    const question = [...this.#log.querySelectorAll("[data-role=user]")].at(-1);
    while (question?.nextElementSibling) question.nextElementSibling.remove();
    if (fragment.querySelector("[data-role=user]")) question?.remove();
    this.add(fragment);
  }

  /** @param {HTMLElement} turn */
  #mount(turn) {
    if ("live" in turn.dataset) return this.#follow(turn);
    countDownIn(turn);
    const text = turn.querySelector("[data-markdown]");
    if (!(text instanceof HTMLElement)) return;
    keepSource(turn, text.textContent ?? "");
    renderMarkdown(text);
  }

  /** @param {HTMLElement} turn */
  #follow(turn) {
    this.#log.setAttribute("aria-busy", "true");
    announce("Answer started");
    this.#live = follow(turn, this.#connection, (fragment, view) => this.#end(turn, fragment, view));
    this.dispatchEvent(new Event("change"));
  }

  /**
   * The answer has ended: the server's turn takes the place of the live one, behind the earlier answer
   * where it brought none. What is already drawn stays in place when it is the same text, with its
   * selection.
   *
   * @param {HTMLElement} turn
   * @param {DocumentFragment} fragment
   * @param {import("./markdown/view.js").MarkdownView} view
   */
  #end(turn, fragment, view) {
    /** @type {HTMLElement[]} */
    const earlier = [...fragment.children].filter((child) => child instanceof HTMLElement);
    const next = earlier.pop();
    if (!(next instanceof HTMLElement) || !turn.isConnected) return;
    const drawn = turn.querySelector("[data-markdown]");
    const written = next.querySelector("[data-markdown]");
    const text = written?.textContent ?? "";
    const isSame = drawn && written && view.source === text.replaceAll("\r", "");
    if (isSame) {
      view.finish();
      written.replaceWith(drawn);
    }
    turn.replaceWith(...earlier, next);
    for (const answer of earlier) this.#mount(answer);
    this.#live = null;
    this.#log.setAttribute("aria-busy", "false");
    if (isSame) {
      keepSource(next, text);
      countDownIn(next);
    } else {
      this.#mount(next);
    }
    announce(spoken(next));
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("ended"));
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
