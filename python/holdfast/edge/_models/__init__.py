"""Models and the platforms they have to fit."""
