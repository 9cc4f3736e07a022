"""Spans, and what travels with a call."""
