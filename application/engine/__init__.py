"""The saga engine: drives any definition to its end and knows nothing of what the steps carry.

Glossary:
    orchestrator: the loop behind a start, a resume, a rollback and a recovery.
    journal: records for one saga under one claim.
    checkpoint: where a running step learns that it has to stop.
    staged events: events of another stream that wait for the outcome of the step.
    observer: receives stored events after the commit.
    participant: takes part in the transaction that stores events.
"""
