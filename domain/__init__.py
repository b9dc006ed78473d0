"""What is true and what may happen, with no I/O, clock or chance of its own.

Glossary:
    saga: a list of steps that is done as a whole or undone as a whole.
    step: an action, its compensation, and a probe that asks the store what is left.
    upload: one file's way into the chunk store.
    chunk: a stretch of the file, stored under `<upload id>/<index>`.
    residue: what a store still holds, or may hold, of a saga that was undone.
    claim, epoch: a worker's taking over of a saga, and the number of that claim in the log.
    decision: the moment from which a saga only goes forward (`CommitDecided`).
    fold: the state that a stream of events amounts to.
"""
