// @ts-check
// A page inside a tenant: finds its parts and puts them together.

import { mountMenuButtons } from "../portal/menu.js";
import { mountTheme } from "../portal/theme.js";
import { Again } from "./again.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { mountCopy } from "./copy.js";
import { dropOldDrafts } from "./draft.js";
import { History } from "./history.js";
import { RowActions } from "./rowactions.js";
import { Rows } from "./rows.js";
import { Follow } from "./scroll.js";
import { mountShortcuts } from "./shortcuts.js";
import { mountSidebar } from "./sidebar.js";
import { awaitTitle, refreshTitle } from "./titles.js";
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

/**
 * A conversation may get its title after its first answer, and another one with a new first message.
 *
 * @param {Turns} turns
 * @param {HTMLElement} log
 * @param {Rows} rows
 */
function mountTitle(turns, log, rows) {
  const list = part("rows");
  if (!list) return;
  turns.addEventListener("ended", () => {
    const completed = log.querySelectorAll("[data-role=assistant][data-status=completed]");
    if (completed.length === 1) awaitTitle(list, rows);
  });
  turns.addEventListener("edited", () => refreshTitle(list, rows));
}

/** @param {Rows | null} rows */
function mountChat(rows) {
  const log = part("log");
  const scroller = part("scroller");
  const jump = part("jump");
  const form = part("composer");
  if (!log || !scroller || !jump) return;
  const turns = new Turns(log, new Connection(part("offline")));
  turns.addEventListener("change", () => rows?.markCurrent(turns.live !== null));
  turns.mountAll();
  mountCopy(log);
  new Again(log, turns);
  if (rows) mountTitle(turns, log, rows);
  const follow = new Follow(scroller, jump);
  turns.addEventListener("sent", () => follow.toLatest());
  new History(log, scroller, turns);
  if (!(form instanceof HTMLFormElement)) return;
  mountShortcuts(new Composer(form, turns, () => follow.toLatest()));
}

mountTheme();
mountMenuButtons();
mountSidebar();
mountChat(mountList());
dropOldDrafts();
