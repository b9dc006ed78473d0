"""Mail messages: the subject and the plain text."""

from __future__ import annotations

from email import policy
from email.parser import BytesParser
from typing import BinaryIO

from sagaledger.ports import AdapterContext, ExtractedText, Page, StoreUrl, TextSample


class MailFormat:
    @classmethod
    def open(cls, _url: StoreUrl, _context: AdapterContext) -> MailFormat:
        return cls()

    def extract(self, file: BinaryIO, sample: TextSample) -> ExtractedText | None:
        if sample.suffix != ".eml" or b"\nSubject: " not in sample.start:
            return None
        file.seek(0)
        message = BytesParser(policy=policy.default).parse(file)
        body = message.get_body(("plain",))
        text = str(body.get_content()) if body else ""
        pages = [Page(1, str(message["Subject"])), Page(2, text)]
        return ExtractedText("message/rfc822", "", iter(pages))
