"""The saga that ships: the nine steps of a streaming upload, one module per step or pair.

validate → start → upload → verify → secure → vector → graph → relational → finalize
"""
