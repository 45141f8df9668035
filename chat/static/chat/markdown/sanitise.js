// @ts-check
// The one sanitiser between text that a model wrote and the page.

import DOMPurify from "../../vendor/dompurify/purify.es.mjs";

const ANSWER = {
  ALLOWED_TAGS: [
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["align", "class", "data-language", "href", "rel", "start", "target"],
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
  ADD_URI_SAFE_ATTR: ["align", "data-language", "rel", "start", "target"], // these hold no address
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: /** @type {const} */ (true),
};

const HIGHLIGHTED = {
  ALLOWED_TAGS: ["span"],
  ALLOWED_ATTR: ["class"],
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: /** @type {const} */ (true),
};

/**
 * @param {string} html an answer as our renderer wrote it
 * @returns {DocumentFragment}
 */
export function sanitiseAnswer(html) {
  return DOMPurify.sanitize(html, ANSWER);
}

/**
 * @param {string} html code with the highlighter's spans
 * @returns {DocumentFragment}
 */
export function sanitiseHighlighted(html) {
  return DOMPurify.sanitize(html, HIGHLIGHTED);
}
