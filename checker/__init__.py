"""pacs-checker: a gentle network configuration checker for the imaging devices that a health system owns."""

__version__ = "0.1.0"
