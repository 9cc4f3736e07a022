"""Probes, and what the machine and this process use."""
