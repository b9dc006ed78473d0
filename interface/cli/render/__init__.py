"""The output of commands: lines, tables, bars and JSON."""
