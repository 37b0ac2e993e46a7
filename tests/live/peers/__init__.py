"""Other tools that list what a TLS server accepts, each run as a child process against one port of loopback.

They are witnesses in tests, and no part of the product. What they say is brought into one form, `Accepted`, and is
neither mended nor completed here: where a peer is wrong, its result is wrong.
"""
