"""Use cases. They work on the domain and reach the outside world only through ports."""
