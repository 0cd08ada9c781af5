"""HTML that somebody else wrote, with only the parts that can do nothing but show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser

_VOID = frozenset({"br", "hr", "img", "col", "wbr"})
_KEPT = _VOID | frozenset(
    {
        *(
            "a",
            "abbr",
            "b",
            "blockquote",
            "caption",
            "cite",
            "code",
            "colgroup",
            "dd",
            "del",
            "details",
            "dfn",
        ),
        *(
            "div",
            "dl",
            "dt",
            "em",
            "figcaption",
            "figure",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "i",
            "ins",
            "kbd",
        ),
        *(
            "li",
            "mark",
            "ol",
            "p",
            "pre",
            "q",
            "s",
            "samp",
            "small",
            "span",
            "strong",
            "sub",
            "summary",
            "sup",
        ),
        *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var"),
    }
)
_GONE_WHOLE = frozenset(
    {
        *(
            "script",
            "style",
            "template",
            "noscript",
            "iframe",
            "object",
            "embed",
            "svg",
            "math",
            "head",
            "title",
        ),
        *(
            "select",
            "textarea",
            "button",
            "canvas",
            "audio",
            "video",
            "frameset",
            "noframes",
            "xmp",
            "plaintext",
        ),
    }
)
_ATTRIBUTES = frozenset(
    {
        "align",
        "alt",
        "colspan",
        "dir",
        "headers",
        "height",
        "lang",
        "open",
        "rowspan",
        "scope",
        "start",
        "title",
    }
    | {"valign", "width"}
)
_PROPERTIES = frozenset(
    {
        *("color", "background-color", "text-align", "vertical-align", "font-weight", "font-style"),
        *("text-decoration", "white-space", "border-bottom", "border-top", "width", "height", "max-width"),
    }
)
_PLAIN_VALUE = re.compile(r"[\w\s#.,%()-]{1,60}")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")
_LINK = re.compile(r"(?:https?://|mailto:|#)[^\s]*", re.I)


def inert(html: str, *, attachments: Mapping[str, str] | None = None) -> str:
    """The same HTML without scripts, styles of its own, handlers, forms, frames and anything from elsewhere.

    >>> inert('<b onclick="x()">a</b><script>y()</script>')
    '<b>a</b>'
    """
    reader = _Inert(attachments or {})
    reader.feed(html)
    reader.close()
    return reader.text()


class _Inert(HTMLParser):
    """Writes down what is harmless while it reads; what it has opened it also closes."""

    def __init__(self, attachments: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self._attachments = attachments
        self._written: list[str] = []
        self._open: list[str] = []
        self._gone: list[str] = []

    def text(self) -> str:
        return "".join([*self._written, *(f"</{tag}>" for tag in reversed(self._open))])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._gone or tag in _GONE_WHOLE:
            if tag in _GONE_WHOLE and tag not in ("embed",):
                self._gone.append(tag)
            return
        if tag in _KEPT:
            written = "".join(self._attribute(tag, name, value or "") for name, value in attrs)
            if tag == "img" and " src=" not in written:
                self._written.append(
                    escape(next((value or "" for name, value in attrs if name == "alt"), ""))
                )
                return
            self._written.append(f"<{tag}{written}>")
            if tag not in _VOID:
                self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _GONE_WHOLE:
            return
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._gone:
            if tag in self._gone:
                while self._gone.pop() != tag:
                    pass
            return
        if tag in self._open:
            while True:
                last = self._open.pop()
                self._written.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._gone:
            self._written.append(escape(data, quote=False))

    def _attribute(self, tag: str, name: str, value: str) -> str:
        if tag == "img" and name == "src":
            value = self._attachments.get(value.removeprefix("attachment:"), value)
            return f' src="{escape(value)}"' if _PICTURE.fullmatch(value) else ""
        if tag == "a" and name == "href":
            outward = f' href="{escape(value)}" rel="noopener noreferrer nofollow"'
            return outward if _LINK.fullmatch(value) else ""
        if name == "style":
            kept = "; ".join(_declarations(value))
            return f' style="{escape(kept)}"' if kept else ""
        return f' {name}="{escape(value)}"' if name in _ATTRIBUTES else ""


def _declarations(style: str) -> list[str]:
    found = []
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if colon and name in _PROPERTIES and _PLAIN_VALUE.fullmatch(value) and "url" not in value.lower():
            found.append(f"{name}: {value}")
    return found
