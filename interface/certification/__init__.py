"""Certification with real processes and stores: runs fault-injection cases and reports results.

Glossary:
    environment: creates the ledgers of cases, opens them with or without faults, and erases them.
    case: processes that may be killed, then recovery, sweep and checks by the oracle.
    invariant monitor: checks during a run what must hold at every moment.
    oracle: checks after a run whether every guarantee holds.
    run: all cases of one certification.
"""
