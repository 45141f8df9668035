// @ts-check
// Popover menus: placed beside their button, arrow keys move, focus returns on close.

/**
 * Open a menu beside the button that was pressed.
 *
 * @param {HTMLElement} menu an element with `popover`
 * @param {HTMLElement} button
 */
export function openMenu(menu, button) {
  menu.showPopover();
  place(menu, button.getBoundingClientRect());
  button.setAttribute("aria-expanded", "true");
  items(menu)[0]?.focus();
  menu.addEventListener(
    "beforetoggle",
    () => {
      button.setAttribute("aria-expanded", "false");
      if (menu.contains(document.activeElement)) button.focus();
    },
    { once: true },
  );
}

/**
 * @param {HTMLElement} menu
 * @param {DOMRect} anchor
 */
function place(menu, anchor) {
  const gap = 4;
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = anchor.bottom + gap;
  const fitsBelow = below + height <= innerHeight - gap;
  const top = fitsBelow ? below : Math.max(gap, anchor.top - gap - height);
  const left = Math.min(Math.max(gap, anchor.right - width), innerWidth - width - gap);
  menu.style.top = `${top}px`;
  menu.style.left = `${left}px`;
}

/**
 * @param {HTMLElement} menu
 * @returns {HTMLElement[]}
 */
function items(menu) {
  return [...menu.querySelectorAll("[role=menuitem]")].filter((item) => item instanceof HTMLElement);
}

/**
 * @param {HTMLElement} menu
 * @param {KeyboardEvent} event
 */
function move(menu, event) {
  const all = items(menu);
  const at = all.findIndex((item) => item === document.activeElement);
  const target = new Map([
    ["ArrowDown", (at + 1) % all.length],
    ["ArrowUp", (at - 1 + all.length) % all.length],
    ["Home", 0],
    ["End", all.length - 1],
  ]).get(event.key);
  if (event.key === "Tab") menu.hidePopover();
  if (target === undefined) return;
  event.preventDefault();
  all[target]?.focus();
}

/** @param {HTMLElement} menu */
export function mountMenu(menu) {
  menu.addEventListener("keydown", (event) => move(menu, event));
  menu.addEventListener("click", (event) => {
    const item = event.target instanceof Element && event.target.closest("[role=menuitem]");
    if (item && !item.hasAttribute("data-keep-open")) menu.hidePopover();
  });
}

/** Wire every button that names its menu: `data-menu-button="id"`. */
export function mountMenuButtons() {
  for (const button of document.querySelectorAll("[data-menu-button]")) {
    const menu = document.getElementById(button.getAttribute("data-menu-button") ?? "");
    if (!(button instanceof HTMLElement) || !menu) continue;
    mountMenu(menu);
    // A press on the button of an open menu closes it (the popover does) and must not open it again.
    let wasOpen = false;
    button.addEventListener("pointerdown", () => {
      wasOpen = menu.matches(":popover-open");
    });
    button.addEventListener("click", () => {
      if (!wasOpen) openMenu(menu, button);
      wasOpen = false;
    });
  }
}
