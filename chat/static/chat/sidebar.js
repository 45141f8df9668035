// @ts-check
// The sidebar: hidden or shown on wide screens (remembered), a drawer on narrow ones (focus stays inside).

import { remember } from "../portal/storage.js";

const root = document.documentElement;
const isNarrow = matchMedia("(max-width: 52rem)");

/** @type {HTMLElement | null} where focus goes when the drawer closes */
let opener = null;

/** @returns {HTMLElement | null} */
function theSidebar() {
  return document.querySelector("[data-sidebar]:not(html)");
}

/** @param {boolean} isInert everything beside the sidebar, so that Tab stays inside the open drawer */
function setRestInert(isInert) {
  for (const part of document.querySelectorAll("[data-main], .skip-link")) {
    if (part instanceof HTMLElement) part.inert = isInert;
  }
}

function openDrawer() {
  opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  root.dataset.drawer = "open";
  setRestInert(true);
  const first = theSidebar()?.querySelector("[data-drawer-close]");
  if (first instanceof HTMLElement) first.focus();
}

export function closeDrawer() {
  if (root.dataset.drawer !== "open") return;
  delete root.dataset.drawer;
  setRestInert(false);
  opener?.focus();
}

export function toggleSidebar() {
  if (isNarrow.matches) return root.dataset.drawer === "open" ? closeDrawer() : openDrawer();
  const isClosing = root.dataset.sidebar !== "closed";
  if (isClosing) root.dataset.sidebar = "closed";
  else delete root.dataset.sidebar;
  remember("atrium:sidebar", isClosing ? "closed" : null);
  focusToggle();
}

/** The button that was pressed has gone: its counterpart takes the focus. */
function focusToggle() {
  for (const button of document.querySelectorAll("[data-sidebar-toggle]")) {
    if (button instanceof HTMLElement && button.offsetParent) button.focus();
  }
}

/** Show the search box, wherever it is, and go there. */
export function goToSearch() {
  const isHidden = isNarrow.matches ? root.dataset.drawer !== "open" : root.dataset.sidebar === "closed";
  if (isHidden) toggleSidebar();
  const search = document.querySelector("[data-search] input");
  if (search instanceof HTMLInputElement) {
    search.focus();
    search.select();
  }
}

/** @param {KeyboardEvent} event */
function onDrawerKey(event) {
  if (event.key !== "Escape" || root.dataset.drawer !== "open") return;
  event.preventDefault();
  closeDrawer();
}

export function mountSidebar() {
  for (const button of document.querySelectorAll("[data-sidebar-toggle]")) {
    button.addEventListener("click", toggleSidebar);
  }
  document.querySelector("[data-drawer-open]")?.addEventListener("click", (event) => {
    event.preventDefault();
    openDrawer();
  });
  for (const closer of document.querySelectorAll("[data-drawer-close]")) {
    closer.addEventListener("click", (event) => {
      event.preventDefault();
      closeDrawer();
    });
  }
  theSidebar()?.addEventListener("keydown", onDrawerKey);
  isNarrow.addEventListener("change", closeDrawer);
  addEventListener("pageshow", closeDrawer);
}
