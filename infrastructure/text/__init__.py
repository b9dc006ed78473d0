"""Text extraction: the text of a document, page by page, in memory independent of the file's size.

Glossary:
    sample: the first bytes of a file, which determine its format and encoding.
    block: a section of text from a format without pages, cut between words.
"""

from sagaledger.infrastructure.text.extractor import DocumentTextExtractor

__all__ = ["DocumentTextExtractor"]
