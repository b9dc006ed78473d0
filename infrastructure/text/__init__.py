"""The text of documents, found page by page in memory that does not grow with the file.

Sample: the first bytes of a file, from which its format and encoding are told.
Block: a stretch of text of a format without pages, cut between words.
"""

from sagaledger.infrastructure.text.extractor import DocumentTextExtractor

__all__ = ["DocumentTextExtractor"]
