"""Use cases: what the program does with the domain, through ports alone."""
