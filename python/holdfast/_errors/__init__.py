"""The taxonomy of errors and their handler, which `holdfast.errors` loads on first use."""
