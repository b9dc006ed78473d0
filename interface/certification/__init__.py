"""Certification on real processes and stores: makes ledgers, runs cases, prints and files results.

Glossary:
    environment: where ledgers for cases are made, opened with or without faults, and taken down.
    trial: one case carried out: processes that may be killed, then recovery, sweep and examination.
    campaign: all trials of one certification.
"""
