"""What a profile found: its parts, its files, its pictures."""
