"""The formats of `documents.db`; the relational store describes the tables of the newest one."""

from __future__ import annotations

from sagaledger.infrastructure.migrations.migration import Migration, statements

__all__ = ["DOCUMENTS"]

_DOCUMENTS = """CREATE TABLE IF NOT EXISTS documents (
    document_id VARCHAR(200) NOT NULL,
    saga_id VARCHAR(32) NOT NULL,
    upload_id VARCHAR(32) NOT NULL,
    namespace VARCHAR(100) NOT NULL,
    content_id VARCHAR(200) NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    source_name TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    chunk_size_bytes INTEGER NOT NULL,
    chunk_count INTEGER NOT NULL,
    passage_count INTEGER NOT NULL,
    media_type VARCHAR(200) NOT NULL,
    text_note TEXT NOT NULL,
    classification VARCHAR(20) NOT NULL,
    embedder VARCHAR(100) NOT NULL,
    created_us INTEGER NOT NULL,
    state VARCHAR(10) NOT NULL,
    PRIMARY KEY (document_id, saga_id))"""
_CHUNKS = """CREATE TABLE IF NOT EXISTS chunks (
    document_id VARCHAR(200) NOT NULL,
    saga_id VARCHAR(32) NOT NULL,
    "index" INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    "key" VARCHAR(100) NOT NULL,
    state VARCHAR(10) NOT NULL,
    PRIMARY KEY (document_id, saga_id, "index"))"""
_PASSAGES = """CREATE TABLE IF NOT EXISTS passages (
    document_id VARCHAR(200) NOT NULL,
    saga_id VARCHAR(32) NOT NULL,
    number INTEGER NOT NULL,
    page INTEGER NOT NULL,
    text TEXT NOT NULL,
    state VARCHAR(10) NOT NULL,
    PRIMARY KEY (document_id, saga_id, number))"""

DOCUMENTS = (
    Migration(
        1,
        statements(
            _DOCUMENTS,
            "CREATE INDEX IF NOT EXISTS documents_by_size "
            "ON documents (namespace, size_bytes, state)",
            "CREATE INDEX IF NOT EXISTS documents_by_time ON documents (state, created_us)",
            _CHUNKS,
            _PASSAGES,
        ),
    ),
)
