"""The expression language of ARM templates: text to syntax tree.

Grammar: learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions.
A text that begins with `[` and ends with `]` is an expression; `[[` stands for a literal bracket;
inside, texts are in single quotes, and two of them stand for one.
"""

import re
from dataclasses import dataclass
from functools import cache

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?!\w))|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<sign>\.\?|\[\?|[()\[\],.]))"
)


class TemplateError(ValueError):
    """What Azure Resource Manager would refuse, with the place where it stands."""


@dataclass(frozen=True)
class Literal:
    """A text or a number."""

    value: str | int


@dataclass(frozen=True)
class Call:
    """A function and its arguments, not yet evaluated."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True)
class Access:
    """A property or an element; `safe` gives null where there is none."""

    target: "Node"
    key: "Node"
    safe: bool


Node = Literal | Call | Access


def is_expression(text: str) -> bool:
    """Whether this text is to be evaluated."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def unescape(text: str) -> str:
    """The literal that a text stands for which is no expression."""
    return text[1:] if text.startswith("[[") else text


@cache
def parse(text: str) -> Node:
    """The syntax tree of an expression, given with its brackets."""
    return _Parser(text).whole()


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(text.rstrip()):
        match = TOKEN.match(text, position)
        if match is None:
            raise TemplateError(f"cannot read the expression at character {position}: {text}")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return [*found, ("end", "")]


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text[1:-1])
        self.position = 0

    def whole(self) -> Node:
        node = self.expression()
        if self.kind() != "end":
            self.fail()
        return node

    def kind(self) -> str:
        return self.tokens[self.position][0]

    def fail(self) -> None:
        value = self.tokens[self.position][1] or "the end"
        raise TemplateError(f"unexpected {value} in {self.text}")

    def take(self) -> tuple[str, str]:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def accept(self, *signs: str) -> str:
        """The sign that comes next, when it is one of these; else nothing."""
        kind, value = self.tokens[self.position]
        if kind == "sign" and value in signs:
            self.position += 1
            return value
        return ""

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            self.fail()

    def expression(self) -> Node:
        node = self.primary()
        while sign := self.accept(".", ".?", "[", "[?"):
            safe = sign.endswith("?")
            if sign.startswith("."):
                if self.kind() != "name":
                    self.fail()
                node = Access(node, Literal(self.take()[1]), safe)
            else:
                node = Access(node, self.expression(), safe)
                self.expect("]")
        return node

    def primary(self) -> Node:
        kind = self.kind()
        if kind not in {"text", "number", "name"}:
            self.fail()
        value = self.take()[1]
        if kind == "text":
            return Literal(value[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(int(value))
        self.expect("(")
        return Call(value, self.arguments())

    def arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        if self.accept(")"):
            return ()
        while True:
            found.append(self.expression())
            if self.accept(")"):
                return tuple(found)
            self.expect(",")
