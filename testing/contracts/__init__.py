"""The contract tests, one module per port."""
