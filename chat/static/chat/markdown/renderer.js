// @ts-check
// Tokens to HTML, where it differs from marked's own: headings below the page's, no pictures from other
// places, links that only go where a link may go, and HTML shown as it was written.

const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i;
const LINE_BREAK = /^<br\s*\/?>$/i;

const ENTITIES = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

/** @param {string} text */
export function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES.get(sign) ?? sign);
}

/**
 * @param {string} href
 * @param {string} label HTML
 * @param {string} [kind] a class
 */
function anchor(href, label, kind = "") {
  if (!SAFE_LINK.test(href)) return label;
  const classes = kind && ` class="${kind}"`;
  return `<a href="${escapeHtml(href)}"${classes} target="_blank" rel="noopener noreferrer nofollow">${label}</a>`;
}

/** @type {Partial<import("../../vendor/marked/marked.esm.js").RendererObject>} */
export const renderer = {
  heading({ tokens, depth }) {
    const level = Math.min(depth + 2, 6); // h1 is the page's title, h2 a turn's
    return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
  },
  html({ text, block }) {
    if (LINE_BREAK.test(text.trim())) return "<br>";
    return block ? `<p class="raw">${escapeHtml(text.trimEnd())}</p>\n` : escapeHtml(text);
  },
  link({ href, tokens }) {
    return anchor(href, this.parser.parseInline(tokens));
  },
  image({ href, text }) {
    return anchor(href, escapeHtml(text || href), "picture");
  },
  checkbox({ checked }) {
    return checked ? "☑ " : "☐ ";
  },
  code({ text, lang }) {
    const language = (lang ?? "").match(/^[\w#+.-]{1,30}/)?.[0] ?? "";
    return `<pre data-language="${escapeHtml(language)}"><code>${escapeHtml(text)}\n</code></pre>\n`;
  },
};
