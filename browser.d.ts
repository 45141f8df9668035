// The browser libraries under the addresses that they are served at (STATICFILES_DIRS in portal/settings.py).

declare module "*/vendor/marked/marked.esm.js" {
  export * from "marked";
}

declare module "*/vendor/dompurify/purify.es.mjs" {
  export { default } from "dompurify";
}

declare module "*/vendor/highlight/highlight.min.js" {
  const highlighter: {
    highlight(code: string, options: { language: string; ignoreIllegals?: boolean }): { value: string };
    getLanguage(name: string): unknown;
  };
  export default highlighter;
}
