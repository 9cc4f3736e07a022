"""What the clusterer is made of; each can be used alone."""
