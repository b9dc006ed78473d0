"""The domain: state and decisions, without I/O, clock or random numbers.

Glossary:
    saga: a list of steps that are all done or all undone.
    step: an action, its compensation, and a probe that finds what the store still holds.
    upload: the transfer of one file into the chunk store.
    chunk: a section of the file, stored under `<upload id>/<index>`.
    residue: items that a store still holds, or may hold, of an undone saga.
    claim, epoch: the event by which a worker becomes owner of a saga, and its number.
    decision: the event after which a saga only goes forward (`CommitDecided`).
    fold: compute the state from a stream of events.
"""
