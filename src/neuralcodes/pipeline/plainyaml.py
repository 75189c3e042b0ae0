"""A reader of the YAML that this project's own files use, for machines without PyYAML.

It reads block and flow mappings and lists, plain and quoted scalars, comments, folded text (">-"),
anchors, aliases and merge keys, and resolves scalars as PyYAML's SafeLoader does. Whatever else
YAML has, it refuses: what it reads, it reads as PyYAML would.
"""

import re
from collections.abc import Hashable
from typing import NoReturn

from neuralcodes.errors import ConfigError

_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_WORDS: dict[str, bool | None] = {
    **{each: v for word, v in _BOOLEANS.items() for each in (word, word.title(), word.upper())},
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?|\.[0-9]+([eE][-+][0-9]+)?")
# Octal, binary, hexadecimal, base 60, underscores, dates, infinity: YAML 1.1 has them all.
_ODD = re.compile(
    r"[-+]?0[0-7_]+|[-+]?0[bx].*|[-+]?[0-9.][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|"
    r"[-+]?[0-9.][0-9.eE+-]*_.*|\d{4}-\d\d?-\d\d?.*|[-+]?\.(inf|nan)|=|<<",
    re.IGNORECASE,
)
_QUOTED = r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'"""
_USUAL = r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]"
_PLAIN_START = rf"(?:{_USUAL}|[-?:](?=[^\s,\[\]{{}}]))"
_KEY = re.compile(rf"({_QUOTED}|{_PLAIN_START}[^:#]*?) *:(?: +(.*))?")
_ITEM = re.compile(r"-(?:( +)(.*))?")
_COMMENT = re.compile(r"(?:^| +)#.*$")
_IN_FLOW = re.compile(
    rf" *(?:(?:^|(?<= ))#.*|({_QUOTED}|[\[\]{{}},]|:(?=[ ,\[\]{{}}]|$)|"
    rf"(?:{_USUAL}|-(?=[^\s,\[\]{{}}]))"
    r"(?:[^\s,\[\]{}?:#]|:(?=[^\s,\[\]{}])|(?<! )#| +(?=[^\s,\[\]{}?:#]))*)|$)"
)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "/": "/"}
_UNPRINTABLE = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_OTHERWISE = "only PyYAML reads this; install PyYAML"


def parse(text: str) -> object:
    """Read one document.

    Args:
        text: of a file.

    Returns:
        Mappings, lists, text, numbers, booleans and None.

    Raises:
        ConfigError: the text has something that only PyYAML reads, or is no YAML.
    """
    reader = _Reader(text.split("\n"))
    if odd := _UNPRINTABLE.search(text):
        reader.current = text.count("\n", 0, odd.start())
        reader.refuse()
    value = reader.node(0)
    if reader.line() is not None:
        reader.current = reader.next() or 0
        reader.refuse()
    return value


class _Reader:
    """A document's lines, and how far it is read."""

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.at, self.current = lines, 0, 0
        self.anchors: dict[str, object] = {}

    def refuse(self, problem: str = _OTHERWISE) -> NoReturn:
        shown = self.lines[self.current].strip()[:60]
        raise ConfigError(f"line {self.current + 1}, {shown!r}: {problem}")

    def line(self) -> tuple[int, str] | None:
        """Find the next line that is not empty: its indentation and its content."""
        at = self.next()
        return None if at is None else (_indent(self.lines[at]), self.lines[at].strip(" "))

    def next(self) -> int | None:
        for at in range(self.at, len(self.lines)):
            content = self.lines[at].strip(" ")
            if content and not content.startswith("#"):
                return at
        return None

    def take(self) -> str:
        """Go past the next line that is not empty."""
        at = self.next()
        if at is None or self.lines[at].startswith(("---", "...", "%")):
            self.refuse()
        self.current, self.at = at, at + 1
        return self.lines[at]

    def node(self, least: int) -> object:
        """Read what is indented by at least so much; nothing is None."""
        line = self.line()
        if line is None or line[0] < least:
            return None
        indent, content = line
        if _ITEM.fullmatch(content):
            return self.sequence(indent)
        if _KEY.fullmatch(content):
            return self.mapping(indent)
        self.take()
        return self.value(content, indent - 1, least - 1)

    def sequence(self, indent: int) -> list[object]:
        items: list[object] = []
        while (line := self.line()) and line[0] == indent and (item := _ITEM.fullmatch(line[1])):
            rest = item[2] or ""
            if _ITEM.fullmatch(rest) or _KEY.fullmatch(rest):
                self.lines[self.next()] = " " * (indent + 1 + len(item[1])) + rest
                items.append(self.node(indent + 1))
            else:
                self.take()
                items.append(self.value(rest, indent, indent))
        return items

    def mapping(self, indent: int) -> dict[Hashable, object]:
        found: dict[Hashable, object] = {}
        merged: dict[Hashable, object] = {}
        while (line := self.line()) and line[0] == indent and (entry := _KEY.fullmatch(line[1])):
            self.take()
            rest = entry[2] or ""
            if entry[1] == "<<":
                other = self.value(rest, indent, indent)
                if merged or not isinstance(other, dict):
                    self.refuse()
                merged = other
                continue
            key = self.scalar(entry[1])
            if key in found:
                self.refuse(f"{key} stands twice")
            found[key] = self.value(rest, indent, indent, of_key=True)
        return {**merged, **found}

    def value(self, text: str, indent: int, parent: int, of_key: bool = False) -> object:
        """Read what stands behind a key or a dash, and on the lines below that belong to it."""
        anchor = re.fullmatch(r"&([A-Za-z0-9_-]+)(?: +(.*))?", text)
        bare = _COMMENT.sub("", text)
        if anchor:
            rest, below = anchor[2] or "", self.line()
            beside = rest if _COMMENT.sub("", rest) else below[1] if below else ""
            if beside[:1] in ("&", "*"):
                self.refuse()
            value = self.value(rest, indent, parent, of_key)
            self.anchors[anchor[1]] = value
            return value
        if not bare:
            below = self.line()
            if of_key and below and below[0] == indent and _ITEM.fullmatch(below[1]):
                return self.sequence(indent)  # items may stand as far left as their key
            return self.node(indent + 1)
        if bare[0] == "*":
            return self.anchors[bare[1:]] if bare[1:] in self.anchors else self.refuse()
        if bare[0] == ">":
            return self.folded(parent) if text == ">-" and parent >= 0 else self.refuse()
        if bare[0] in "[{":
            return self.flow(text)
        quoted, below = re.match(_QUOTED, text), self.line()
        if (below and below[0] > parent) or (quoted and _COMMENT.sub("", text[quoted.end() :])):
            self.refuse()
        return self.scalar(quoted[0] if quoted else bare)

    def scalar(self, text: str) -> Hashable:
        if text[:1] in ("'", '"') and not re.fullmatch(_QUOTED, text):
            self.refuse()
        if text[:1] == "'":
            return text[1:-1].replace("''", "'")
        if text[:1] == '"':
            return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1]) or self.refuse(), text[1:-1])
        if text and (not re.match(_PLAIN_START, text) or re.search(r":(\s|$)", text)):
            self.refuse()
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        return self.refuse() if _ODD.fullmatch(text) else text

    def folded(self, parent: int) -> str:
        """Read text whose line ends are spaces and whose empty lines are line ends."""
        kept: list[str] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip(" ") and _indent(line) <= parent:
                break
            kept.append(line)
            self.at += 1
        indents = {_indent(line) for line in kept if line.strip(" ")}
        if len(indents) != 1 or not kept[0] or any(line.endswith(" ") for line in kept):
            self.refuse()
        text = "\n".join(line.strip(" ") for line in kept).rstrip("\n")
        return re.sub(r"\n+", lambda m: "\n" * (len(m[0]) - 1) or " ", text)

    def flow(self, text: str) -> object:
        """Read [...] or {...}, which may go on on the lines below."""
        tokens = self.tokens(text)
        while sum((each in ("[", "{")) - (each in ("]", "}")) for each in tokens) > 0:
            tokens += self.tokens(self.take())
        value = self.entry(tokens)
        return self.refuse() if tokens else value

    def tokens(self, text: str) -> list[str]:
        tokens, at = [], 0
        while at < len(text):
            token = _IN_FLOW.match(text, at) or self.refuse()
            tokens += [token[1]] if token[1] else []
            at = token.end()
        return self.refuse() if tokens[:1] == [":"] else tokens

    def entry(self, tokens: list[str]) -> object:
        first = tokens.pop(0) if tokens else self.refuse()
        if first not in ("[", "{"):
            return self.refuse() if first in ("]", "}", ",", ":") else self.scalar(first)
        items: list[object] = []
        named: dict[Hashable, object] = {}
        end = "]" if first == "[" else "}"
        while tokens[:1] != [end]:
            if first == "[":
                items.append(self.entry(tokens))
            else:
                key = self.refuse() if tokens[:1] in (["["], ["{"]) else self.entry(tokens)
                if key in named:
                    self.refuse(f"{key} stands twice")
                colon = tokens[:1] == [":"] and tokens.pop(0)
                empty = not colon or tokens[:1] in ([","], ["}"])
                named[key] = None if empty else self.entry(tokens)
            if tokens[:1] == [","]:
                tokens.pop(0)
            elif tokens[:1] != [end]:
                self.refuse()
        tokens.pop(0)
        return items if first == "[" else named


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
