"""What is counted: series, their history, and the ways out of the process."""
