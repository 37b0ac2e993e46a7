"""The tables of the documentation that are measured: `python -m tests.tables` asks real servers and writes them."""
