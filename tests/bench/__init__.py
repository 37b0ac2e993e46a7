"""Benchmarks: `make bench`. They print figures and judge none; nothing here is a test."""
