"""From the records of requests to numbers with their uncertainty."""
