"""Certification on real processes and stores: makes ledgers, runs cases, prints and files results.

Glossary:
    environment: where ledgers for cases are made, opened with or without faults, and taken down.
    case runner: carries out one case, in processes that may be killed, then recovers, sweeps and
        examines.
    run: all cases of one certification.
"""
