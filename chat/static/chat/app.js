// @ts-check
// A page inside a tenant: finds its parts and puts them together.

import { mountMenuButtons } from "../portal/menu.js";
import { mountTheme } from "../portal/theme.js";
import { Composer } from "./composer.js";
import { mountCopy } from "./copy.js";
import { dropOldDrafts } from "./draft.js";
import { RowActions } from "./rowactions.js";
import { Rows } from "./rows.js";
import { Follow } from "./scroll.js";
import { mountShortcuts } from "./shortcuts.js";
import { mountSidebar } from "./sidebar.js";
import { Turns } from "./turns.js";

/** @param {string} name @returns {HTMLElement | null} */
function part(name) {
  return document.querySelector(`[data-${name}]:not(html)`);
}

/** @returns {Rows | null} */
function mountList() {
  const list = part("rows");
  const scroller = part("list-scroller");
  const search = part("search");
  const menu = part("row-actions");
  if (!list || !scroller) return null;
  const rows = new Rows(list, scroller);
  if (search instanceof HTMLFormElement) rows.searchWith(search);
  if (menu) new RowActions(list, rows, menu);
  return rows;
}

/** @param {Rows | null} rows */
function mountChat(rows) {
  const log = part("log");
  const scroller = part("scroller");
  const jump = part("jump");
  const form = part("composer");
  if (!log || !scroller || !jump) return;
  const turns = new Turns(log);
  turns.addEventListener("change", () => rows?.markCurrent(turns.live !== null));
  turns.mountAll();
  mountCopy(log);
  const follow = new Follow(scroller, jump);
  turns.addEventListener("sent", () => follow.toLatest());
  if (!(form instanceof HTMLFormElement)) return;
  mountShortcuts(new Composer(form, turns, () => follow.toLatest()));
}

mountTheme();
mountMenuButtons();
mountSidebar();
mountChat(mountList());
dropOldDrafts();
