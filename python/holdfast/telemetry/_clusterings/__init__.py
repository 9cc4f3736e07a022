"""Clusterings that are watched."""
