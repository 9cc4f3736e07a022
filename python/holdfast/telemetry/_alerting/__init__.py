"""Rules, the alerts that come of them, and who is told."""
