// @ts-check
// The list of conversations: grouped by day, loaded page by page, searched by titles and messages.

import { fragmentOf } from "../portal/html.js";
import { get } from "../portal/http.js";
import { groupOf } from "./days.js";

const TYPING_PAUSE_MS = 200;

export class Rows {
  #list;
  /** @type {AbortController | null} */
  #search = null;
  #observer;

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} scroller
   */
  constructor(list, scroller) {
    this.#list = list;
    this.#observer = new IntersectionObserver((entries) => this.#onSeen(entries), {
      root: scroller,
      rootMargin: "400px",
    });
    list.addEventListener("click", (event) => this.#onClick(event));
    this.refresh();
  }

  /** Redo menus, day labels, the mark on the open conversation and the watch on the end. */
  refresh() {
    for (const label of this.#list.querySelectorAll("[data-label]")) label.remove();
    let last = "";
    for (const row of this.#list.querySelectorAll("[data-row]")) {
      if (!(row instanceof HTMLElement)) continue;
      complete(row);
      const group = "pinned" in row.dataset ? "Pinned" : groupOf(row.dataset.at ?? "");
      if (group && group !== last) row.before(label(group));
      last = group;
      const isCurrent = row.dataset.id === this.#list.dataset.current;
      if (isCurrent) row.querySelector("a")?.setAttribute("aria-current", "page");
    }
    const more = this.#list.querySelector("[data-more]");
    this.#observer.disconnect();
    if (more) this.#observer.observe(more);
  }

  /** @param {boolean} isLive whether the open conversation is being answered */
  markCurrent(isLive) {
    const row = this.#list.querySelector(`[data-id="${CSS.escape(this.#list.dataset.current ?? "")}"]`);
    row?.classList.toggle("row-live", isLive);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #onSeen(entries) {
    const more = entries.find((entry) => entry.isIntersecting)?.target;
    if (more) this.#loadMore(more);
  }

  /** @param {Event} event */
  #onClick(event) {
    const more = event.target instanceof Element && event.target.closest("[data-more]");
    if (!more) return;
    event.preventDefault();
    this.#loadMore(more);
  }

  /** @param {Element} more */
  async #loadMore(more) {
    const link = more.querySelector("a");
    if (!link || more.hasAttribute("data-loading")) return;
    more.setAttribute("data-loading", "");
    try {
      const fragment = await fragmentOf(await get(link.href));
      if (!more.isConnected) return; // a search has replaced the list
      more.replaceWith(fragment);
      this.refresh();
    } catch {
      more.removeAttribute("data-loading"); // the link stays: pressing it tries again
      this.#observer.unobserve(more);
    }
  }

  /** @param {HTMLFormElement} form */
  searchWith(form) {
    let pause = 0;
    const run = () => this.#find(form);
    form.addEventListener("input", () => {
      clearTimeout(pause);
      pause = setTimeout(run, TYPING_PAUSE_MS);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      run();
    });
  }

  /** @param {HTMLFormElement} form */
  async #find(form) {
    this.#search?.abort();
    this.#search = new AbortController();
    const query = String(new FormData(form).get("q") ?? "");
    const url = new URL(form.action);
    url.hash = "";
    url.search = query ? new URLSearchParams({ q: query }).toString() : "";
    try {
      this.#list.replaceChildren(await fragmentOf(await get(url.href, this.#search.signal)));
      this.refresh();
    } catch (error) {
      if (!(error instanceof DOMException)) this.#list.replaceChildren(note("The search did not work. Try again."));
    }
  }
}

/**
 * A row from the server gets its menu, and the addresses that this needs.
 *
 * @param {HTMLElement} row
 */
function complete(row) {
  const link = row.querySelector("a");
  const template = document.querySelector("template[data-template=row-menu]");
  if (!link || !(template instanceof HTMLTemplateElement) || row.querySelector("[data-row-menu]")) return;
  row.dataset.renameUrl = `${link.href}rename/`;
  row.dataset.deleteUrl = `${link.href}delete/`;
  row.append(template.content.cloneNode(true));
  row.querySelector("[data-row-menu]")?.setAttribute("aria-label", `Actions for “${row.dataset.title}”`);
}

/** @param {string} words */
function label(words) {
  const item = document.createElement("li");
  item.className = "rows-label";
  item.dataset.label = "";
  item.textContent = words;
  return item;
}

/** @param {string} words */
function note(words) {
  const item = document.createElement("li");
  item.className = "rows-empty";
  item.textContent = words;
  return item;
}
