"""What commands show: lines, tables, bars and JSON."""
