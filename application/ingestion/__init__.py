"""The shipped saga: the nine steps of a streaming upload.

validate → start → upload → verify → secure → vector → graph → relational → finalize
"""
