"""A page of HTML taken apart."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input"}


class Page(HTMLParser):
    """The elements of a page, their attributes and texts; all must be closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def addresses(self):
        """Everything that an element could load or lead to."""
        names = ("src", "href", "action", "data", "poster", "srcset")
        return [each[name] for _, each in self.elements for name in names if name in each]

    def text(self, *tags):
        return [text for tag, text in self.texts if tag in tags and text]
