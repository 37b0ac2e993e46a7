"""Launchers of the real servers that live tests ask: context managers, one module for each product."""
