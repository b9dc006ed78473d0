"""The formats of the database files, one module per file, and the migrations to the newest format.

Glossary:
    format number: `PRAGMA user_version` of a file; 0 is a new file, or one of version 0.1.0, which
        numbered only its event log.
    migration: changes a file from one format number to the next. A released migration is never
        changed: the next format is another migration.

Read models (`projections.db`) have a version each and are rebuilt from the log instead. The
graph file (`graph.lbug`) has the format of its engine, which migrates it.
"""

from sagaledger.infrastructure.migrations.migration import Migration, migrate, statements

__all__ = ["Migration", "migrate", "statements"]
