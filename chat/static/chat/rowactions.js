// @ts-check
// Rename and delete, from the list and from the page's own title.

import { announce } from "../portal/announce.js";
import { confirmWith, tell } from "../portal/confirm.js";
import { fragmentOf } from "../portal/html.js";
import { post, RequestError } from "../portal/http.js";
import { mountMenu, openMenu } from "../portal/menu.js";
import { showTitle } from "./titles.js";

/** @typedef {import("./rows.js").Rows} Rows */

export class RowActions {
  #list;
  #rows;
  #menu;
  /** @type {HTMLElement | null} */
  #row = null;

  /**
   * @param {HTMLElement} list
   * @param {Rows} rows
   * @param {HTMLElement} menu
   */
  constructor(list, rows, menu) {
    this.#list = list;
    this.#rows = rows;
    this.#menu = menu;
    mountMenu(menu);
    list.addEventListener("click", (event) => this.#onRowButton(event));
    document.querySelector("[data-title-menu]")?.addEventListener("click", (event) => this.#onTitleButton(event));
    menu.addEventListener("click", (event) => this.#onAction(event));
  }

  /** @param {Event} event */
  #onRowButton(event) {
    const button = event.target instanceof Element && event.target.closest("[data-row-menu]");
    const row = button && button.closest("[data-row]");
    if (button instanceof HTMLElement && row instanceof HTMLElement) this.#open(row, button);
  }

  /** @param {Event} event */
  #onTitleButton(event) {
    const button = event.currentTarget;
    if (!(button instanceof HTMLElement)) return;
    this.#open(button, button);
  }

  /**
   * @param {HTMLElement} row carries the addresses
   * @param {HTMLElement} button
   */
  #open(row, button) {
    this.#row = row;
    openMenu(this.#menu, button);
  }

  /** @param {Event} event */
  #onAction(event) {
    const item = event.target instanceof Element && event.target.closest("[data-action]");
    if (!(item instanceof HTMLElement) || !this.#row) return;
    if (item.dataset.action === "rename") this.#rename(this.#row);
    else this.#delete(this.#row);
  }

  /** @param {HTMLElement} row */
  #rename(row) {
    const place = row.matches("[data-row]") ? row : document.querySelector("[data-heading]");
    const template = document.querySelector("template[data-template=rename]");
    if (!(template instanceof HTMLTemplateElement) || !place) return;
    const form = /** @type {HTMLFormElement} */ (template.content.firstElementChild?.cloneNode(true));
    const input = /** @type {HTMLInputElement} */ (form.querySelector("input"));
    const before = [...place.childNodes];
    let isDone = false;

    const close = () => {
      if (isDone) return;
      isDone = true;
      place.replaceChildren(...before);
      const target = place.querySelector("a") ?? document.querySelector("[data-title-menu]");
      if (target instanceof HTMLElement) target.focus();
    };
    const save = async () => {
      if (isDone) return;
      const title = input.value.trim();
      close();
      if (title && title !== row.dataset.title) await this.#store(row, title);
    };

    input.value = row.dataset.title ?? "";
    place.replaceChildren(form);
    input.focus();
    input.select();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      save();
    });
    input.addEventListener("blur", save);
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    });
  }

  /**
   * @param {HTMLElement} row
   * @param {string} title
   */
  async #store(row, title) {
    try {
      const fragment = await fragmentOf(await post(row.dataset.renameUrl ?? "", { title }));
      const next = fragment.querySelector("[data-row]");
      if (next instanceof HTMLElement) showTitle(this.#list, this.#rows, next);
      announce("Renamed");
    } catch (error) {
      this.#refused(error, "The title was not changed.");
    }
  }

  /** @param {HTMLElement} row */
  async #delete(row) {
    const isSure = await confirmWith({
      title: "Delete this conversation?",
      body: `“${row.dataset.title}” is removed with all its messages, for good.`,
      action: "Delete",
    });
    if (!isSure) return;
    try {
      await post(row.dataset.deleteUrl ?? "");
      this.#remove(row.dataset.id ?? "");
    } catch (error) {
      this.#refused(error, "The conversation was not deleted.");
    }
  }

  /** @param {string} id */
  #remove(id) {
    if (id === this.#list.dataset.current) {
      const shell = document.querySelector("[data-shell]");
      if (shell instanceof HTMLElement) location.assign(shell.dataset.newUrl ?? "/");
      return;
    }
    const row = this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`);
    const neighbour = row?.nextElementSibling?.querySelector("a") ?? document.querySelector("[data-new-chat]");
    row?.remove();
    this.#rows.refresh();
    if (neighbour instanceof HTMLElement) neighbour.focus();
    announce("Conversation deleted");
  }

  /**
   * @param {unknown} error
   * @param {string} what
   */
  #refused(error, what) {
    const why = error instanceof RequestError ? error.message : "";
    tell({ title: what, body: why });
  }
}
