"""The saga engine: drives any definition to its end and does not know what the steps transfer.

Glossary:
    orchestrator: the loop behind a start, a resume, a rollback and a recovery.
    journal: records for one saga under one claim.
    checkpoint: the point at which a running step learns that it must stop.
    staged events: events of another stream that wait for the outcome of the step.
    observer: receives stored events after the commit.
    participant: takes part in the transaction that stores events.
"""
