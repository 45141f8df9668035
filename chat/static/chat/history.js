// @ts-check
// Earlier turns of a long conversation: fetched when the reader comes near the top, and put before
// the others without moving what is read. The link that stands there does the same without a script.

import { fragmentOf } from "../portal/html.js";
import { get } from "../portal/http.js";

/** @typedef {import("./turns.js").Turns} Turns */

export class History {
  #log;
  #scroller;
  #turns;
  #observer;

  /**
   * @param {HTMLElement} log
   * @param {HTMLElement} scroller
   * @param {Turns} turns
   */
  constructor(log, scroller, turns) {
    this.#log = log;
    this.#scroller = scroller;
    this.#turns = turns;
    this.#observer = new IntersectionObserver((entries) => this.#onSeen(entries), {
      root: scroller,
      rootMargin: "800px",
    });
    log.addEventListener("click", (event) => this.#onClick(event));
    this.#watch();
  }

  /** Look out for the link to what is earlier, if there is more. */
  #watch() {
    this.#observer.disconnect();
    const earlier = this.#log.querySelector("[data-earlier]");
    if (earlier) this.#observer.observe(earlier);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #onSeen(entries) {
    const earlier = entries.find((entry) => entry.isIntersecting)?.target;
    if (earlier) this.#load(earlier);
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const isPlain = !(event.metaKey || event.ctrlKey || event.shiftKey);
    const earlier = event.target instanceof Element && event.target.closest("[data-earlier]");
    if (!earlier || !isPlain) return;
    event.preventDefault();
    this.#load(earlier);
  }

  /** @param {Element} earlier */
  async #load(earlier) {
    const link = earlier.querySelector("a");
    if (!link || earlier.getAttribute("aria-busy") === "true") return;
    earlier.setAttribute("aria-busy", "true");
    try {
      const fragment = await fragmentOf(await get(link.dataset.turnsUrl ?? ""));
      this.#put(earlier, fragment);
      this.#watch();
    } catch {
      earlier.removeAttribute("aria-busy"); // the link stays: pressing it tries again
      this.#observer.unobserve(earlier);
    }
  }

  /**
   * What is in view stays where it is. (Not every browser sees to that by itself.)
   *
   * @param {Element} earlier
   * @param {DocumentFragment} fragment
   */
  #put(earlier, fragment) {
    const hadFocus = earlier.contains(document.activeElement);
    const first = fragment.querySelector("[data-turn]");
    const below = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    earlier.remove();
    this.#turns.prepend(fragment);
    this.#scroller.scrollTop = this.#scroller.scrollHeight - below;
    if (!hadFocus || !(first instanceof HTMLElement)) return;
    first.tabIndex = -1;
    first.focus({ preventScroll: true });
  }
}
