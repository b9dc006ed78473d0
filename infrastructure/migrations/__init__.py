"""The formats of the database files, one module a file, and how a file gets to the newest.

Glossary:
    format number: what `PRAGMA user_version` of a file says; 0 is a file that nobody has made yet,
        or one of version 0.1.0, which numbered only its event log.
    migration: what makes the format of a number out of the one before. It is never changed once it
        is released: the next format is another migration.

Read models (`projections.db`) have a version each and are made anew from the log instead. The
graph's file (`graph.lbug`) has the format of its engine, which looks after it.
"""

from sagaledger.infrastructure.migrations.migration import Migration, migrate, statements

__all__ = ["Migration", "migrate", "statements"]
