"""Metrics and figures become the page."""
