"""Proving the guarantees: faults and crashes at every port call, judged by what stores hold.

Glossary:
    port call: the nth call of one method of one port in one run of a saga.
    fault: what goes wrong at a port call.
    witness: what watches the calls of a run for what must hold at every moment.
    examiner: what judges, after recovery, the log and the stores guarantee by guarantee.
    case: a scenario with its faults, from an untouched ledger to a verdict.
"""
