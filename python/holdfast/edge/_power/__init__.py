"""Power and energy: recordings, sensors and what they come to."""
