"""A page of the hub, as a browser without scripts has it."""
from html.parser import HTMLParser


class Page(HTMLParser):
    """The first form of a page with its fields, and its text."""

    def __init__(self, text):
        super().__init__()
        self.fields, self.types, self.words, self.hidden = {}, {}, [], 0
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "input" and attributes.get("name"):
            self.fields.setdefault(attributes["name"], attributes.get("value") or "")
            self.types.setdefault(attributes["name"], attributes.get("type"))
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)
